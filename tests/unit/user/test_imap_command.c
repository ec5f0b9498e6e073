/* IMAP commands before login: atoms, strings, literals, and what is none of them. */
#include "user/imap_command.h"

#include "check.h"

static const struct {
  const char *line;
  enum imap_parsed want;
  const char *tag, *name;
  unsigned args;
  const char *arg[6];
} cases[] = {
    {"a NOOP", IMAP_DONE, "a", "NOOP", 0, {0}},
    {"A001 login joe secret", IMAP_DONE, "A001", "login", 2, {"joe", "secret"}},
    {"a LOGIN \"joe\" \"se cret\"", IMAP_DONE, "a", "LOGIN", 2, {"joe", "se cret"}},
    {"a LOGIN \"j\\\\o\\\"e\" \"\"", IMAP_DONE, "a", "LOGIN", 2, {"j\\o\"e", ""}},
    {"a LOGIN joe  secret ", IMAP_DONE, "a", "LOGIN", 2, {"joe", "secret"}},
    {"a AUTHENTICATE PLAIN AGpvZQBz=", IMAP_DONE, "a", "AUTHENTICATE", 2, {"PLAIN", "AGpvZQBz="}},
    {"a ID (\"name\" \"x\" \"version\" NIL)", IMAP_DONE, "a", "ID", 4, {"name", "x", "version", "NIL"}},
    {"a ID (\"1\" \"2\" \"3\" \"4\" \"5\" \"6\")", IMAP_DONE, "a", "ID", 6, {"1", "2", "3", "4", "5", "6"}},
    {"a LOGIN {3}", IMAP_LITERAL, "a", "LOGIN", 0, {0}},
    {"a LOGIN joe {12+}", IMAP_LITERAL, "a", "LOGIN", 1, {"joe"}},
    {"", IMAP_BAD, "", "", 0, {0}},
    {"a", IMAP_BAD, "a", "", 0, {0}},
    {"a ", IMAP_BAD, "a", "", 0, {0}},
    {" NOOP", IMAP_BAD, "", "", 0, {0}},
    {"(a NOOP", IMAP_BAD, "", "", 0, {0}},
    {"a+ NOOP", IMAP_BAD, "", "", 0, {0}},
    {"\x80 NOOP", IMAP_BAD, "", "", 0, {0}},
    {"a LOGIN \"joe", IMAP_BAD, "a", "LOGIN", 0, {0}},
    {"a LOGIN \"joe\\x\" y", IMAP_BAD, "a", "LOGIN", 0, {0}},
    {"a LOGIN \"joe\"secret", IMAP_BAD, "a", "LOGIN", 0, {0}},
    {"a LOGIN jo\"e secret", IMAP_BAD, "a", "LOGIN", 0, {0}},
    {"a LOGIN j\\oe secret", IMAP_BAD, "a", "LOGIN", 0, {0}},
    {"a LOGIN joe\tsecret", IMAP_BAD, "a", "LOGIN", 0, {0}},
    {"a LOGIN {3} x", IMAP_BAD, "a", "LOGIN", 0, {0}},
    {"a LOGIN {}", IMAP_BAD, "a", "LOGIN", 0, {0}},
    {"a LOGIN {+}", IMAP_BAD, "a", "LOGIN", 0, {0}},
    {"a LOGIN {-1}", IMAP_BAD, "a", "LOGIN", 0, {0}},
    {"a LOGIN {99999999999999999999}", IMAP_BAD, "a", "LOGIN", 0, {0}},
    {"a LOGIN {3", IMAP_BAD, "a", "LOGIN", 0, {0}},
};

static void lines(void) {
  struct imap_command c = {.args = 0};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    uint64_t size = 0;
    int sync = -1;
    enum imap_parsed p = imap_command_line(&c, cases[i].line, strlen(cases[i].line), &size, &sync);

    CHECK_CASE(p == cases[i].want, cases[i].line);
    CHECK_CASE(stralloc_equals(&c.tag, cases[i].tag) && stralloc_equals(&c.name, cases[i].name), cases[i].line);
    if (p == IMAP_BAD) continue;
    CHECK_CASE(c.args == cases[i].args, cases[i].line);
    for (unsigned k = 0; k < c.args && k < IMAP_ARGS_MAX; ++k)
      CHECK_CASE(stralloc_equals(&c.arg[k], cases[i].arg[k]), cases[i].line);
    if (p == IMAP_LITERAL) CHECK_CASE(size == (sync ? 3u : 12u), cases[i].line);
  }
  imap_command_free(&c);
}

static void literals(void) {
  struct imap_command c = {.args = 0};
  uint64_t size;
  int sync;

  CHECK(imap_command_line(&c, "a LOGIN {3}", 11, &size, &sync) == IMAP_LITERAL && size == 3 && sync);
  CHECK(imap_command_literal(&c, "j e", 3, " {2+}", 5, &size, &sync) == IMAP_LITERAL && size == 2 && !sync);
  CHECK(imap_command_literal(&c, "\"\"", 2, "", 0, &size, &sync) == IMAP_DONE && c.args == 2);
  CHECK(stralloc_equals(&c.arg[0], "j e") && stralloc_equals(&c.arg[1], "\"\""));
  CHECK(imap_command_line(&c, "a LOGIN {3}", 11, &size, &sync) == IMAP_LITERAL);
  CHECK(imap_command_literal(&c, "j\0e", 3, "", 0, &size, &sync) == IMAP_BAD);
  CHECK(imap_command_line(&c, "a LOGIN {3}", 11, &size, &sync) == IMAP_LITERAL);
  CHECK(imap_command_literal(&c, "joe", 3, "x", 1, &size, &sync) == IMAP_BAD);
  imap_command_clear(&c);
  CHECK(c.args == 0 && c.arg[0].len == 0);
  imap_command_free(&c);
  for (long n = 1; n < 5; ++n) {
    enum imap_parsed p;

    check_nomem(n);
    p = imap_command_line(&c, "a LOGIN joe secret", 18, &size, &sync);
    check_nomem(0);
    CHECK(p == IMAP_NOMEM || n > 4);
    imap_command_free(&c);
  }
}

int main(void) {
  lines();
  literals();
  return check_done();
}
