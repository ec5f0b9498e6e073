/* Answers of ident servers, honest and not. */
#include "super/ident.h"

#include <stdlib.h>

#include "check.h"

static const struct {
  const char *reply, *user; /* null: none */
} cases[] = {
    {"6113, 23 : USERID : UNIX : joe\r\n", "joe"},
    {"6113,23:USERID:UNIX:joe", "joe"},
    {" 6113 ,\t23 : USERID : UNIX , US-ASCII : joe@host\n", "joe@host"},
    {"6113,23:USERID:OTHER:a:b", "a:b"},
    {"6113,23:ERROR:NO-USER\r\n", 0},
    {"6113,24:USERID:UNIX:joe", 0},
    {"6114,23:USERID:UNIX:joe", 0},
    {"6113,23:USERID:UNIX:", 0},
    {"6113,23:USERID:UNIX", 0},
    {"6113,23:USERID:UNIX:joe blow", 0},
    {"6113,23:USERID:UNIX:\x01joe", 0},
    {"6113,23:userid:UNIX:joe", 0},
    {"66649,23:USERID:UNIX:joe", 0},
    {"", 0},
    {",", 0},
    {"::::", 0},
};

int main(void) {
  stralloc user = STRALLOC_INIT;
  stralloc longest = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    size_t n = strlen(cases[i].reply);
    int r = ident_parse(cases[i].reply, n, 6113, 23, &user);

    CHECK_CASE(r == (cases[i].user != 0), cases[i].reply);
    CHECK_CASE(r != 1 || stralloc_equals(&user, cases[i].user), cases[i].reply);
    /* Cut off anywhere: never more than was given. */
    for (size_t cut = 0; cut < n; ++cut) {
      char *copy = malloc(cut + 1);

      memcpy(copy, cases[i].reply, cut);
      r = ident_parse(copy, cut, 6113, 23, &user);
      CHECK_CASE(r == 0 || (r == 1 && user.len && user.len < cut), cases[i].reply);
      free(copy);
    }
  }
  CHECK(stralloc_copys(&longest, "1,2:USERID:U:"));
  for (int i = 0; i < 256; ++i) CHECK(stralloc_append(&longest, 'x'));
  CHECK(ident_parse(longest.s, longest.len, 1, 2, &user) == 0);
  CHECK(ident_parse(longest.s, longest.len - 1, 1, 2, &user) == 1);
  stralloc_free(&user);
  stralloc_free(&longest);
  return check_done();
}
