/* Hashes made elsewhere are verified, ours go round, and what must be refused is. */
#include "crypt/password.h"

#include <stdlib.h>

#include "check.h"

static const struct {
  const char *hash, *password;
  int want;
} cases[] = {
    /* Made by the system's own crypt, and bcrypt's published vector. */
    {"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world!", 1},
    {"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1.", "Hello world!", 0},
    {"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz", "Hello world!", 0},
    {"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1", "Hello world", 0},
    {"$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!", 1},
    {"$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world?", 0},
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U", 1},
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*V", 0},
    {"$y$j9T$gjeiySuXHCMHhu3uIIyue/$156j.Jd2AJ0Y24l0qjHBT47nU5FN2E5FPJvBfDF4sDD", "pass", 1},
    {"$y$j9T$gjeiySuXHCMHhu3uIIyue/$156j.Jd2AJ0Y24l0qjHBT47nU5FN2E5FPJvBfDF4sDD", "pasS", 0},
    {"$1$abcdefgh$", "x", 0},
    {"", "x", 0},
    {"", "", 0},
    {"*", "*", 0},
    {"!", "!", 0},
    {"*0", "*1", 0},
    {"plain", "plain", 0},
    {"$y$", "x", 0},
    {"$6$", "x", 0},
};

static void verify(void) {
  struct strerr e;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
    CHECK_CASE(password_verify(cases[i].password, cases[i].hash, &e) == cases[i].want, cases[i].hash);
}

static void round_trip(void) {
  static const char *const names[] = {"yescrypt", "SHA-512", "sha-256", "BCRYPT", "4", "3", "2"};
  static const char *const refused[] = {"DES", "MD5", "0", "1", "", "CRYPT", "SHA"};
  enum password_scheme s = PASSWORD_YESCRYPT;
  stralloc h = STRALLOC_INIT, h2 = STRALLOC_INIT;
  struct strerr e;
  char longpw[PASSWORD_MAX + 2];

  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    CHECK_CASE(password_scheme_find(names[i], &s), names[i]);
    CHECK(password_hash(s, "correct horse", &h, &e) == 0);
    CHECK(password_hash(s, "correct horse", &h2, &e) == 0);
    CHECK_CASE(!stralloc_equals(&h, h2.s), "salts differ");
    CHECK_CASE(password_verify("correct horse", h.s, &e) == 1, names[i]);
    CHECK_CASE(password_verify("correct hors", h.s, &e) == 0, names[i]);
    CHECK_CASE(password_is_hash(h.s), names[i]);
    CHECK_CASE(strcmp(password_scheme_name(h.s), "unknown") != 0, names[i]);
  }
  for (size_t i = 0; i < sizeof refused / sizeof *refused; ++i)
    CHECK_CASE(!password_scheme_find(refused[i], &s), refused[i]);
  memset(longpw, 'a', sizeof longpw);
  longpw[sizeof longpw - 1] = 0;
  CHECK(password_hash(PASSWORD_YESCRYPT, longpw, &h, &e) == -1 && e.permanent);
  CHECK(password_verify(longpw, h2.s, &e) == 0);
  longpw[PASSWORD_MAX] = 0;
  CHECK(password_hash(PASSWORD_YESCRYPT, longpw, &h, &e) == 0);
  CHECK(password_verify(longpw, h.s, &e) == 1);
  CHECK(password_hash(PASSWORD_BCRYPT, longpw, &h, &e) == -1 && e.permanent);
  CHECK(password_hash(PASSWORD_YESCRYPT, "", &h, &e) == -1 && e.permanent);
  CHECK(!password_is_hash("$1$abcdefgh$aaaaaaaaaaaaaaaaaaaaaa"));
  CHECK(!password_is_hash("abJnggxhB/yWI"));
  CHECK(!password_is_hash("plain") && !password_is_hash(""));
  check_nomem(1);
  CHECK(password_verify("x", h2.s, &e) == -1);
  check_nomem(1);
  CHECK(password_hash(PASSWORD_YESCRYPT, "x", &h, &e) == -1);
  check_nomem(0);
  password_waste("x");
  password_waste("");
  stralloc_free(&h);
  stralloc_free(&h2);
}

static void random_passwords(void) {
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT;
  struct strerr e;

  CHECK(password_random(16, &a, &e) == 0 && a.len == 16);
  CHECK(password_random(16, &b, &e) == 0 && b.len == 16);
  CHECK(memcmp(a.s, b.s, 16) != 0);
  CHECK(password_random(0, &a, &e) == -1);
  CHECK(password_random(PASSWORD_MAX + 1, &a, &e) == -1);
  stralloc_free(&a);
  stralloc_free(&b);
}

int main(void) {
  verify();
  round_trip();
  random_passwords();
  return check_done();
}
