/* multilog's patterns. */
#include "super/logmatch.h"

#include "check.h"

static const struct {
  const char *pattern, *line;
  int want;
} cases[] = {
    {"", "", 1},
    {"", "a", 0},
    {"abc", "abc", 1},
    {"abc", "abcd", 0},
    {"abc", "ab", 0},
    {"*", "", 1},
    {"*", "anything * at all", 1},
    {"a*", "abc", 1},
    {"a*", "a", 1},
    {"a*", "ba", 0},
    {"*c", "abc", 1},
    {"*c", "abcc", 0}, /* the star stops at the first c */
    {"* status: *", "@4000 status: 5", 1},
    {"* status: *", "a b status: 5", 0}, /* and so at the first blank */
    {"* * status: *", "a b status: 5", 1},
    {"*: *", "status: 5", 1},
    {"a*b*c", "axxbyyc", 1},
    {"a*b*c", "axxbyyd", 0},
    {"**", "x", 0}, /* the first one stops at a star */
    {"**", "x*y", 1},
};

int main(void) {
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i)
    CHECK_CASE(logmatch(cases[i].pattern, cases[i].line, strlen(cases[i].line)) == cases[i].want, cases[i].pattern);
  return check_done();
}
