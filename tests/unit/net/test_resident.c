/* Messages between tcpserver and a resident server. */
#include "net/resident.h"

#include <string.h>

#include "check.h"

static void round_trip(void) {
  struct env env = {0};
  stralloc s = STRALLOC_INIT;
  uint64_t number = 0;

  CHECK(resident_format(&s, 10000001) && stralloc_catz(&s, "TCPREMOTEIP=192.0.2.1", 21) && stralloc_catz(&s, "RELAYCLIENT=", 12));
  CHECK(resident_parse(s.s, s.len, &number, &env) == 1 && number == 10000001);
  CHECK(!strcmp(env_lookup(&env, "TCPREMOTEIP"), "192.0.2.1") && !strcmp(env_lookup(&env, "RELAYCLIENT"), ""));
  CHECK(!env_lookup(&env, "PATH"));
  /* Cut anywhere it is refused, but for where a variable just ended. */
  for (size_t n = 0; n < s.len; ++n) {
    struct env cut = {0};
    int whole = n > 0 && s.s[n - 1] == 0;

    CHECK(resident_parse(s.s, n, &number, &cut) == whole);
    env_free(&cut);
  }
  stralloc_free(&s);
  env_free(&env);
}

static void bad(void) {
#define BYTES(text) text, sizeof(text) - 1
  static const struct {
    const char *name, *s;
    size_t n;
  } cases[] = {
      {"nothing", BYTES("")},
      {"no number", BYTES("\0A=1\0")},
      {"not a number", BYTES("x1\0A=1\0")},
      {"too large", BYTES("99999999999999999999\0")},
      {"no name", BYTES("1\0=1\0")},
      {"no value", BYTES("1\0A\0")},
      {"empty variable", BYTES("1\0\0")},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct env env = {0};
    uint64_t number;

    CHECK_CASE(resident_parse(cases[i].s, cases[i].n, &number, &env) == 0, cases[i].name);
    env_free(&env);
  }
}

static void numbers(void) {
  static const char three[] = "1\0" "22\0" "333";
  uint64_t n = 0;
  size_t pos = 0;

  CHECK(resident_next_over(three, sizeof three, &pos, &n) == 1 && n == 1);
  CHECK(resident_next_over(three, sizeof three, &pos, &n) == 1 && n == 22);
  CHECK(resident_next_over(three, sizeof three, &pos, &n) == 1 && n == 333);
  CHECK(resident_next_over(three, sizeof three, &pos, &n) == 0);
  pos = 0;
  CHECK(resident_next_over(three, 1, &pos, &n) == -1);
  CHECK(resident_next_over("-1\0", 3, &pos, &n) == -1);
}

int main(void) {
  round_trip();
  bad();
  numbers();
  return check_done();
}
