/* Rules of bodycheck: how a line is taken apart, and what it matches. */
#include "mail/body_rules.h"

#include "check.h"

static const struct {
  const char *rule, *line;
  unsigned where;
  long want;
  int blackhole;
  const char *comment;
} cases[] = {
    {"viagra", "buy VIAGRA now", BODY_IN_BODY, 1, 0, ""},
    {"viagra", "Subject: viagra", BODY_IN_HEADER, 1, 0, ""},
    {"viagra:no pills", "viagra", BODY_IN_BODY, 1, 0, "no pills"},
    {"viagra:no: pills:-body", "viagra", BODY_IN_BODY, 1, 0, "no: pills"},
    {"viagra:-body", "viagra", BODY_IN_HEADER, 0, 0, ""},
    {"viagra:-header", "viagra", BODY_IN_BODY, 0, 0, ""},
    {"viagra:-headerblackhole", "viagra", BODY_IN_HEADER, 1, 1, ""},
    {"viagra:x:-bodyblackhole", "viagra", BODY_IN_BODY, 1, 1, "x"},
    {"viagra:-else", "viagra", BODY_IN_BODY, 1, 0, "-else"},
    {"^Subject\\: win:won:-header", "subject: win", BODY_IN_HEADER, 1, 0, "won"},
    {"^a\\\\:c", "a\\", BODY_IN_BODY, 1, 0, "c"},
    {"^(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", BODY_IN_BODY, -1, 0, ""},
    {"x$", "x", BODY_IN_BODY, 1, 0, ""},
    {"x", "", BODY_IN_BODY, 0, 0, ""},
};

int main(void) {
  struct body_rules b;
  struct strerr e;
  struct strlist bad = {0};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct strlist lines = {0};

    CHECK(strlist_add(&lines, cases[i].rule, strlen(cases[i].rule)));
    CHECK_CASE(body_rules_compile(&b, "rules", &lines, &e) == 0, cases[i].rule);
    CHECK_CASE(body_rules_match(&b, cases[i].where, cases[i].line, strlen(cases[i].line)) == cases[i].want, cases[i].rule);
    CHECK_CASE(b.rule[0].blackhole == cases[i].blackhole && stralloc_equals(&b.rule[0].comment, cases[i].comment), cases[i].rule);
    body_rules_free(&b);
    strlist_free(&lines);
  }
  CHECK(strlist_add(&bad, "fine", 4) && strlist_add(&bad, "(:x", 3));
  CHECK(body_rules_compile(&b, "rules", &bad, &e) == -1 && e.permanent);
  CHECK_CASE(!strncmp(e.text, "rules: not a regular expression: ", 33) && strstr(e.text, ": (:x"), e.text);
  body_rules_free(&b);
  body_rules_free(&b);
  strlist_free(&bad);
  return check_done();
}
