/* Lines that set variables for an address. */
#include "mail/envrules.h"

#include "check.h"

int main(void) {
  static const char *const lines[] = {"*@a.example:X=1,Y=one\\,two,Z=back\\\\slash", "joe@a.example:X=2,GONE=", ":NULL=1", "<>:NULL=2",
                                      "@b.example:X=b", "no colon", "*@c.example:=x,,BAD"};
  static const struct {
    const char *address, *variable, *want;
    int count;
  } cases[] = {
      {"ann@a.example", "X", "1", 1},       {"JOE@a.example", "X", "2", 2},  {"joe@a.example", "Y", "one,two", 2},
      {"joe@a.example", "Z", "back\\slash", 2}, {"joe@a.example", "GONE", 0, 2}, {"ann@a.example", "GONE", "here", 1},
      {"", "NULL", "2", 2},                 {"x@b.example", "X", "b", 1},    {"x@d.example", "X", 0, 0},
      {"x@c.example", "BAD", 0, 1},
  };
  struct strlist rules = {0};

  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) CHECK(strlist_add(&rules, lines[i], strlen(lines[i])));
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct env env = {0};
    const char *got;

    CHECK(env_set(&env, "GONE", "here"));
    CHECK_CASE(envrules_apply(&rules, cases[i].address, strlen(cases[i].address), &env) == cases[i].count, cases[i].address);
    got = env_lookup(&env, cases[i].variable);
    CHECK_CASE(!got == !cases[i].want && (!got || !strcmp(got, cases[i].want)), cases[i].variable);
    env_free(&env);
  }
  strlist_free(&rules);
  return check_done();
}
