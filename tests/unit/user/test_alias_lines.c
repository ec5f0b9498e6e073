/* Lines of .qmail files as lines of aliases, and back. */
#include "user/alias_files.h"

#include <string.h>

#include "check.h"

static const struct {
  const char *text;
  int want;
  const char *lines; /* of the alias, each with an LF */
  const char *back;  /* as a file; null: the same as lines */
} cases[] = {
    {"&a@b\n", 1, "&a@b\n", 0},
    {"a@b", 1, "a@b\n", 0},
    {"# x\n\n|cmd \t\n/m/\n&a@b\n&a@b\n", 1, "|cmd\n/m/\n&a@b\n", 0},
    {"./M/\n", 1, "/dir/M/\n", 0},
    {"./A/\n./a/\n", 1, "/dir/A/\n/dir/a/\n", 0}, /* names of files have cases */
    {"&_x@b\n", 1, "&_x@b\n", 0},
    {"", 0, 0, 0},
    {"\n\n", 0, 0, 0},
    {"#\n", 0, 0, 0},
    {"&bob\n", 0, 0, 0},
    {"&@b\n", 0, 0, 0},
    {"& a@b\n", 0, 0, 0},
    {" a@b\n", 0, 0, 0},
    {"_a@b\n", 0, 0, 0},
    {"+list\n", 0, 0, 0},
    {"./mbox\n", 0, 0, 0},
    {"/mbox\n", 0, 0, 0},
    {".\n", 0, 0, 0},
    {"..\n", 0, 0, 0},
    {"../M/\n", 0, 0, 0},
    {"./../M/\n", 0, 0, 0},
    {"&a@b\n|ezmlm-send x\n", 0, 0, 0},
};

static void join(const struct strlist *l, stralloc *to) {
  stralloc_cut(to, 0);
  for (size_t i = 0; i < l->len; ++i) CHECK(stralloc_cat(to, &l->item[i]) && stralloc_append(to, '\n'));
}

int main(void) {
  struct strlist lines = {0};
  stralloc text = STRALLOC_INIT;
  const char *why;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    why = 0;
    CHECK_CASE(alias_lines_parse(cases[i].text, strlen(cases[i].text), "/dir", &lines, &why) == cases[i].want, cases[i].text);
    CHECK_CASE((why == 0) == cases[i].want, cases[i].text);
    if (!cases[i].want) continue;
    join(&lines, &text);
    CHECK_CASE(stralloc_equals(&text, cases[i].lines), text.s);
    CHECK(alias_lines_format(&lines, &text));
    CHECK_CASE(stralloc_equals(&text, cases[i].back ? cases[i].back : cases[i].lines), text.s);
  }
  why = 0;
  CHECK(alias_lines_parse("a@b\0c\n", 6, "/dir", &lines, &why) == 0 && why);
  strlist_clear(&lines);
  CHECK(strlist_add(&lines, "_a@b", 4) && strlist_add(&lines, "/m", 2) && strlist_add(&lines, "#a@b", 4));
  CHECK(alias_lines_format(&lines, &text));
  CHECK(stralloc_equals(&text, "&_a@b\n/m/\n&#a@b\n"));
  for (long n = 1; n < 3; ++n) {
    struct strlist fresh = {0};
    stralloc out = STRALLOC_INIT;

    check_nomem(n);
    CHECK(alias_lines_parse("./M/\n", 5, "/dir", &fresh, &why) == -1);
    check_nomem(n == 1);
    CHECK(alias_lines_format(&lines, &out) == (n != 1));
    check_nomem(0);
    strlist_free(&fresh);
    stralloc_free(&out);
  }
  strlist_free(&lines);
  stralloc_free(&text);
  return check_done();
}
