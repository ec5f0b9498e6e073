/* Rules of bodycheck: how a line is taken apart, and what it matches. */
#include "mail/body_rules.h"

#include "mail/pattern.h"

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

/* A rule that takes too long is not tried again in this message, and others are; so it goes with one that
 * needs more than is left for the message. */
static void cost(void) {
  static const char *const rules[] = {"^(a+)+$", "needle", "(b|b)*c", "foo.*bar.*b.1"};
  static const char slow[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", some[] = "bbbbbbb!c";
  struct body_rules b;
  struct body_rules_cost c = {0};
  struct strlist lines = {0};
  stralloc long_line = STRALLOC_INIT;
  struct strerr e;
  uint64_t first;

  for (size_t k = 0; k < sizeof rules / sizeof *rules; ++k) CHECK(strlist_add(&lines, rules[k], strlen(rules[k])));
  CHECK(body_rules_compile(&b, "rules", &lines, &e) == 0);
  CHECK(body_rules_match(&b, BODY_IN_BODY, slow, strlen(slow), &c) == -1);
  first = c.steps;
  CHECK(first > 0);
  CHECK(body_rules_match(&b, BODY_IN_BODY, slow, strlen(slow), &c) == 0 && c.steps == first);
  CHECK(body_rules_match(&b, BODY_IN_BODY, "a needle", 8, &c) == 2);
  for (size_t k = 0; k < 160; ++k) CHECK(stralloc_cats(&long_line, "foobar"));
  CHECK(stralloc_cats(&long_line, " 1") && body_rules_match(&b, BODY_IN_BODY, long_line.s, long_line.len, &c) == -1);
  CHECK(c.steps < first + 4 * PATTERN_STEPS); /* wherever in the line it may begin */
  CHECK(body_rules_match(&b, BODY_IN_BODY, some, strlen(some), &c) == 3);
  c.steps = BODY_RULES_STEPS - 20;
  CHECK(body_rules_match(&b, BODY_IN_BODY, some, strlen(some), &c) == -1);
  CHECK(body_rules_match(&b, BODY_IN_BODY, "plain", 5, &c) == 0 && c.steps <= BODY_RULES_STEPS);
  stralloc_free(&long_line);
  body_rules_cost_free(&c);
  body_rules_cost_free(&c);
  body_rules_free(&b);
  strlist_free(&lines);
}

int main(void) {
  struct body_rules b;
  struct strerr e;
  struct strlist bad = {0};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct strlist lines = {0};
    struct body_rules_cost c = {0};

    CHECK(strlist_add(&lines, cases[i].rule, strlen(cases[i].rule)));
    CHECK_CASE(body_rules_compile(&b, "rules", &lines, &e) == 0, cases[i].rule);
    CHECK_CASE(body_rules_match(&b, cases[i].where, cases[i].line, strlen(cases[i].line), &c) == cases[i].want, cases[i].rule);
    CHECK_CASE(b.rule[0].blackhole == cases[i].blackhole && stralloc_equals(&b.rule[0].comment, cases[i].comment), cases[i].rule);
    body_rules_cost_free(&c);
    body_rules_free(&b);
    strlist_free(&lines);
  }
  cost();
  CHECK(strlist_add(&bad, "fine", 4) && strlist_add(&bad, "(:x", 3));
  CHECK(body_rules_compile(&b, "rules", &bad, &e) == -1 && e.permanent);
  CHECK_CASE(!strncmp(e.text, "rules: not a regular expression: ", 33) && strstr(e.text, ": (:x"), e.text);
  body_rules_free(&b);
  body_rules_free(&b);
  strlist_free(&bad);
  return check_done();
}
