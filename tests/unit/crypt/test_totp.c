/* Codes by time: the values of RFC 6238 appendix B and RFC 4226 appendix D, the window, and codes that were
 * used. */
#include "crypt/totp.h"

#include "check.h"

#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" /* 12345678901234567890 */

static const struct {
  const char *name;
  int64_t time;
  const char *code;
} published[] = {
    {"59", 59, "94287082"},
    {"1111111109", 1111111109, "07081804"},
    {"1111111111", 1111111111, "14050471"},
    {"1234567890", 1234567890, "89005924"},
    {"2000000000", 2000000000, "69279037"},
    {"20000000000", 20000000000, "65353130"},
};

static const char *const counted[] = {"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"};

static const char *const bad_secrets[] = {"", "A", "GEZDGNBV1", "gezdgnbv", "GEZD GNBV", "GEZDGNB=", "\"", "\xff",
                                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};

static const struct {
  const char *name, *code;
  int64_t now, last;
  int want;
  int64_t step;
} checks[] = {
    {"of now", "287082", 59, 0, 1, 1},          {"of the step before", "287082", 89, 0, 1, 1},
    {"of the next", "287082", 29, 0, 1, 1},     {"two steps old", "287082", 90, 0, 0, 0},
    {"used already", "287082", 59, 1, 0, 0},    {"older than one that was used", "287082", 89, 2, 0, 0},
    {"after one that was used", "359152", 59, 1, 1, 2}, {"wrong", "287083", 59, 0, 0, 0},
    {"empty", "", 59, 0, 0, 0},                 {"short", "28708", 59, 0, 0, 0},
    {"long", "2870820", 59, 0, 0, 0},           {"eight digits", "94287082", 59, 0, 0, 0},
    {"blanks", " 28708", 59, 0, 0, 0},          {"never used", "755224", 0, -1, 1, 0},
};

static void codes(void) {
  char code[9];

  for (size_t i = 0; i < sizeof published / sizeof *published; ++i) {
    CHECK_CASE(totp_code(SECRET, (uint64_t)published[i].time / TOTP_PERIOD, 8, code), published[i].name);
    CHECK_CASE(!strcmp(code, published[i].code), published[i].name);
  }
  for (size_t i = 0; i < sizeof counted / sizeof *counted; ++i)
    CHECK_CASE(totp_code(SECRET, i, 6, code) && !strcmp(code, counted[i]), counted[i]);
  for (size_t i = 0; i < sizeof bad_secrets / sizeof *bad_secrets; ++i) {
    int64_t step;

    CHECK_CASE(!totp_code(bad_secrets[i], 1, 6, code), bad_secrets[i]);
    CHECK_CASE(totp_check(bad_secrets[i], "123456", 6, 59, 0, &step) == -1, bad_secrets[i]);
  }
}

static void windows(void) {
  for (size_t i = 0; i < sizeof checks / sizeof *checks; ++i) {
    int64_t step = 0;

    CHECK_CASE(totp_check(SECRET, checks[i].code, strlen(checks[i].code), checks[i].now, checks[i].last, &step) == checks[i].want, checks[i].name);
    CHECK_CASE(step == checks[i].step, checks[i].name);
  }
}

static void made(void) {
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT, uri = STRALLOC_INIT;
  struct strerr e;
  char code[9];

  CHECK(totp_make(&a, &e) == 0 && a.len == 32 && totp_make(&b, &e) == 0 && !stralloc_equals(&a, b.s));
  CHECK(totp_code(a.s, 1, 6, code) && strlen(code) == 6);
  CHECK(totp_uri("ABC", "example.com", "joe+x@example.com", &uri));
  CHECK(stralloc_equals(&uri, "otpauth://totp/example.com:joe%2Bx@example.com?secret=ABC&issuer=example.com&algorithm=SHA1&digits=6&period=30"));
  CHECK(totp_uri("ABC", "a b", "x&y?\"<\xc3\xa9@z", &uri));
  CHECK(stralloc_equals(&uri, "otpauth://totp/a%20b:x%26y%3F%22%3C%C3%A9@z?secret=ABC&issuer=a%20b&algorithm=SHA1&digits=6&period=30"));
  for (long n = 1; n < 8; ++n) {
    check_nomem(n);
    (void)!totp_make(&a, &e);
    (void)!totp_uri("ABC", "a", "b", &uri);
    check_nomem(0);
  }
  stralloc_free(&a);
  stralloc_free(&b);
  stralloc_free(&uri);
}

int main(void) {
  codes();
  windows();
  made();
  return check_done();
}
