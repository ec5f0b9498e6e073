/* Strings as JSON: only ASCII comes out, and nothing is lost. */
#include "base/json.h"

#include "check.h"

#define S(s) s, sizeof s - 1

static const struct {
  const char *s;
  size_t n;
  const char *want;
} cases[] = {
    {S(""), "\"\""},
    {S("a\"b\\c/"), "\"a\\\"b\\\\c/\""},
    {S("a\0\n\x7f"), "\"a\\u0000\\u000a\\u007f\""},
    {S("\xc3\xa9"), "\"\\u00e9\""},
    {S("\xe2\x82\xac!"), "\"\\u20ac!\""},
    {S("\xf0\x9f\x93\xa7"), "\"\\ud83d\\udce7\""},
    {S("\xf4\x8f\xbf\xbf"), "\"\\udbff\\udfff\""},
    {S("\xc3"), "\"\\u00c3\""},
    {S("\xc3(\xe9"), "\"\\u00c3(\\u00e9\""},
    {S("\xed\xa0\x80"), "\"\\u00ed\\u00a0\\u0080\""}, /* half of a pair is no character */
    {S("\xf0\x9f\x93"), "\"\\u00f0\\u009f\\u0093\""},
};

int main(void) {
  stralloc out = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    stralloc_cut(&out, 0);
    CHECK_CASE(json_string(&out, cases[i].s, cases[i].n) && stralloc_equals(&out, cases[i].want), cases[i].want);
  }
  stralloc_free(&out);
  check_nomem(1);
  CHECK(!json_string(&out, "x", 1));
  check_nomem(0);
  stralloc_free(&out);
  return check_done();
}
