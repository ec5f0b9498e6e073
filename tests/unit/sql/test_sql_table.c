/* Templates of tables: what is one, and what is none. */
#include "sql/sql_table.h"

#include <string.h>

#include "check.h"

static const struct {
  const char *text, *name, *columns; /* name null: refused */
} cases[] = {
    {"t (a int)", "t", "(a int)"},
    {" \n t_1\t(a int, b varchar(10))\n", "t_1", "(a int, b varchar(10))"},
    {"T(a int)", "T", "(a int)"},
    {"t (a text default ');--#', b text default \"(\", `c;` int)", "t", "(a text default ');--#', b text default \"(\", `c;` int)"},
    {"t (a text default 'it''s')", "t", "(a text default 'it''s')"},
    {"", 0, 0},
    {"t", 0, 0},
    {"(a int)", 0, 0},
    {"1t (a int)", 0, 0},
    {"t x (a int)", 0, 0},
    {"t.u (a int)", 0, 0},
    {"`t` (a int)", 0, 0},
    {"t (a int", 0, 0},
    {"t (a int))", 0, 0},
    {"t (a int) AS SELECT * FROM users", 0, 0},
    {"t (a int); DROP TABLE users", 0, 0},
    {"t (a int; b int)", 0, 0},
    {"t (a int -- x\n)", 0, 0},
    {"t (a int # x\n)", 0, 0},
    {"t (a int /* x */)", 0, 0},
    {"t (a text default '\\')", 0, 0},
    {"t (a text default 'x)", 0, 0},
    {"t )a int(", 0, 0},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (a int)", 0, 0},
};

int main(void) {
  struct sql_table t;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const char *why = sql_table_parse(cases[i].text, strlen(cases[i].text), &t);

    CHECK_CASE((why == 0) == (cases[i].name != 0), cases[i].text);
    if (why) continue;
    CHECK_CASE(t.namen == strlen(cases[i].name) && !memcmp(t.name, cases[i].name, t.namen), cases[i].text);
    CHECK_CASE(t.columnsn == strlen(cases[i].columns) && !memcmp(t.columns, cases[i].columns, t.columnsn), cases[i].text);
  }
  CHECK(sql_table_parse("t (a\0)", 6, &t) != 0);
  return check_done();
}
