/* What descriptor 3 gives, taken apart, and accounts that have expired. */
#include "user/checker.h"
#include "user/system_account.h"

#include "check.h"

#define IN(text) text, sizeof(text) - 1

static const struct {
  const char *in;
  size_t n;
  int code;
  const char *user, *password, *response;
  int plain;
} checks[] = {
    {IN("u\0p\0\0"), 0, "u", "p", "", 1},
    {IN("u\0p\0\0\1\0"), 0, "u", "p", "", 1},
    {IN("u\0p\0\0\2"), 0, "u", "p", "", 1},
    {IN("u\0p\0\0\3\0"), 0, "u", "p", "", 0},
    {IN("u\0p\0"), 0, "u", "p", "", 1},
    {IN("u\0p\0r\0\3\0"), 0, "u", "p", "r", 0},
    {IN("\0\0\0"), 0, "", "", "", 1},
    {IN("a b\0\xc3\xa9'\";--\0\0"), 0, "a b", "\xc3\xa9'\";--", "", 1},
    {IN(""), CHECKER_MISUSE, 0, 0, 0, 0},
    {IN("u"), CHECKER_MISUSE, 0, 0, 0, 0},
    {IN("u\0p"), CHECKER_MISUSE, 0, 0, 0, 0},
    {IN("u\0p\0r"), CHECKER_MISUSE, 0, 0, 0, 0},
};

static const struct {
  const char *in;
  size_t n;
  int code;
  const char *user, *password, *response, *fresh;
} changes[] = {
    {IN("u\0o\0n\0"), 0, "u", "o", "", "n"},
    {IN("u\0o\0\0n\0"), 0, "u", "o", "", "n"},
    {IN("u\0c\0r\0n\0"), 0, "u", "c", "r", "n"},
    {IN("u\0o\0\0"), 0, "u", "o", "", ""},
    {IN("u\0o\0\0\0"), 0, "u", "o", "", ""},
    {IN("u\0o\0"), CHECKER_MISUSE, 0, 0, 0, 0},
    {IN("u\0o\0n"), CHECKER_MISUSE, 0, 0, 0, 0},
    {IN("u\0o\0\0n"), CHECKER_MISUSE, 0, 0, 0, 0},
    {IN("u\0o\0\0n\0x\0"), CHECKER_MISUSE, 0, 0, 0, 0},
    {IN(""), CHECKER_MISUSE, 0, 0, 0, 0},
};

static const struct {
  const char *name;
  struct spwd s;
  int expired;
} shadows[] = {
    {"nothing said", {.sp_lstchg = -1, .sp_min = -1, .sp_max = -1, .sp_expire = -1}, 0},
    {"usual", {.sp_lstchg = 900, .sp_max = 99999, .sp_expire = -1}, 0},
    {"to be changed", {.sp_lstchg = 0, .sp_max = 99999, .sp_expire = -1}, 1},
    {"last day", {.sp_lstchg = 990, .sp_max = 10, .sp_expire = -1}, 0},
    {"a day later", {.sp_lstchg = 989, .sp_max = 10, .sp_expire = -1}, 1},
    {"changed tomorrow", {.sp_lstchg = 1001, .sp_max = 10, .sp_expire = -1}, 0},
    {"account ends today", {.sp_lstchg = 900, .sp_max = 99999, .sp_expire = 1000}, 1},
    {"account ends tomorrow", {.sp_lstchg = 900, .sp_max = 99999, .sp_expire = 1001}, 0},
    {"account ended in 1970", {.sp_lstchg = 900, .sp_max = 99999, .sp_expire = 0}, 1},
};

static void load(struct checker *c, const char *in, size_t n) {
  memset(c, 'x', sizeof *c);
  memcpy(c->text, in, n);
  c->text[n] = 0;
  c->len = n;
}

int main(void) {
  struct checker c;
  struct system_account a = {.uid = 1234};

  for (size_t i = 0; i < sizeof checks / sizeof *checks; ++i) {
    load(&c, checks[i].in, checks[i].n);
    CHECK_CASE(checker_parse(&c) == checks[i].code, checks[i].in);
    if (checks[i].code) continue;
    CHECK_CASE(!strcmp(c.user, checks[i].user) && !strcmp(c.password, checks[i].password) && !strcmp(c.response, checks[i].response), checks[i].in);
    CHECK_CASE(checker_is_plain(&c) == checks[i].plain, checks[i].in);
  }
  for (size_t i = 0; i < sizeof changes / sizeof *changes; ++i) {
    load(&c, changes[i].in, changes[i].n);
    CHECK_CASE(checker_parse_change(&c) == changes[i].code, changes[i].in);
    if (changes[i].code) continue;
    CHECK_CASE(!strcmp(c.user, changes[i].user) && !strcmp(c.password, changes[i].password) && !strcmp(c.response, changes[i].response) &&
                   !strcmp(c.fresh, changes[i].fresh),
               changes[i].in);
  }
  for (size_t i = 0; i < sizeof shadows / sizeof *shadows; ++i) CHECK_CASE(shadow_expired(&shadows[i].s, 1000) == shadows[i].expired, shadows[i].name);
  CHECK(system_account_may_ask(0, &a, "no.such.account") && system_account_may_ask(1234, &a, "no.such.account"));
  CHECK(!system_account_may_ask(1235, &a, "no.such.account") && !system_account_may_ask(65534, &a, "no.such.account"));
  CHECK(system_account_may_ask(65534, &a, "nobody"));
  return check_done();
}
