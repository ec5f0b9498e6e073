/* Names in a Maildir: of the moment, and of a message. */
#include "user/maildir_name.h"

#include "check.h"

static void names(void) {
  static const struct {
    int64_t us;
    pid_t pid;
    unsigned n;
    const char *host, *want;
  } cases[] = {
      {1700000000000001, 42, 0, "h.example", "1700000000.M1P42Q0.h.example"},
      {1700000000999999, 1, 7, "a/b:c", "1700000000.M999999P1Q7.a\\057b\\072c"},
      {0, 0, 0, "", "0.M0P0Q0."},
  };
  stralloc s = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
    CHECK_CASE(maildir_name(&s, cases[i].us, cases[i].pid, cases[i].n, cases[i].host) &&
                   stralloc_equals(&s, cases[i].want),
               cases[i].want);
  stralloc_free(&s);
}

static void timed(void) {
  static const struct {
    const char *messid;
    int64_t want; /* -1: it has none */
  } cases[] = {
      {"1763703601000000.10000005", 1763703601000000}, {"1763703601000000", 1763703601000000}, {"1763703601000000-x", 1763703601000000},
      {"", -1}, {"x1763703601000000", -1}, {"1763703601.5", -1}, {"99999999999999999999", -1}, {"123456789012345678", -1},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    int64_t us = -1;

    CHECK_CASE(maildir_name_timed(cases[i].messid, &us) == (cases[i].want != -1) && us == cases[i].want, cases[i].messid);
  }
}

static void of_a_message(void) {
  static const char head[] = "Delivered-To: a@example.com\n";
  stralloc s = STRALLOC_INIT, t = STRALLOC_INIT;

  CHECK(maildir_name_of(&s, "1763703601000007.12", head, strlen(head), 0, "a/b") && !strncmp(stralloc_cstr(&s), "1763703601.M7P", 14));
  CHECK(strstr(s.s, ".a\\057b") != 0);
  CHECK(maildir_name_of(&t, "1763703601000007.12", head, strlen(head), 0, "a/b") && stralloc_equals(&t, s.s));
  CHECK(maildir_name_of(&t, "1763703601000007.13", head, strlen(head), 0, "a/b") && !stralloc_equals(&t, s.s));
  CHECK(maildir_name_of(&t, "1763703601000007.12", head, strlen(head) - 2, 0, "a/b") && !stralloc_equals(&t, s.s));
  CHECK(maildir_name_of(&t, "1763703601000007.12", head, strlen(head), 1, "a/b") && !stralloc_equals(&t, s.s));
  stralloc_free(&s);
  stralloc_free(&t);
}

int main(void) {
  names();
  timed();
  of_a_message();
  return check_done();
}
