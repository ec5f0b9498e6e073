/* Which domains may be fetched: whole names, all of those that are asked for. */
#include "smtp/atrn_domains.h"

#include <string.h>

#include "check.h"
#include "smtp/turn.h"

static const struct {
  const char *granted, *wanted;
  int want;
} cases[] = {
    {"example.com", "example.com", 1},
    {"example.com", "EXAMPLE.com", 1},
    {"example.com", "exam", 0}, /* no part of a name */
    {"example.com", "example.com.", 0},
    {"example.com", "xample.com", 0},
    {"example.com", "a.example.com", 0},
    {"a.example, b.example", "b.example,a.example", 1},
    {"a.example,b.example", "a.example", 1},
    {"a.example,b.example", "a.example,c.example", 0},
    {"a.example\tb.example", " ,a.example,, b.example,", 1},
    {"", "", 0},
    {"a.example", "", 0},
    {"", "a.example", 0},
    {"a.example", ",", 0},
    {"a.example,b.example", "a.example;b.example", 0},
};

int main(void) {
  struct strlist granted = {0}, wanted = {0};
  char name[16];

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    strlist_clear(&granted);
    strlist_clear(&wanted);
    CHECK(atrn_domains_add(&granted, cases[i].granted, strlen(cases[i].granted)) && atrn_domains_add(&wanted, cases[i].wanted, strlen(cases[i].wanted)));
    CHECK_CASE(atrn_domains_granted(&wanted, &granted) == cases[i].want, cases[i].wanted);
  }
  strlist_clear(&wanted);
  CHECK(atrn_domains_add(&wanted, "a,A,a ,b", 8) && wanted.len == 2);
  strlist_clear(&wanted);
  for (int i = 0; i <= TURN_DOMAINS; ++i) {
    CHECK(atrn_domains_granted(&wanted, &wanted) == (i > 0));
    CHECK(atrn_domains_add(&wanted, name, (size_t)snprintf(name, sizeof name, "d%d", i)));
  }
  CHECK(!atrn_domains_granted(&wanted, &wanted));
  check_nomem(1);
  CHECK(!atrn_domains_add(&(struct strlist){0}, "a", 1));
  check_nomem(0);
  strlist_free(&granted);
  strlist_free(&wanted);
  return check_done();
}
