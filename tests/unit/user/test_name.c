/* Names and addresses: what may be stored, what may be asked. */
#include "user/name.h"

#include "check.h"

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
  const char *s;
  int ok;
} users[] = {
    {"a", 1},          {"alice", 1},   {"a.b-c+d", 1},  {"0", 1},      {"o'brien", 1}, {"a!#$%&'*+-=?^_`{|}~", 1},
    {A32 A32, 1},      {A32 A32 "a", 0}, {"", 0},       {".", 0},      {"..", 0},      {".a", 0},
    {"a.", 0},         {"a..b", 0},    {"a/b", 0},      {"/", 0},      {"A", 0},       {"aB", 0},
    {"a b", 0},        {"a\tb", 0},    {"a\"b", 0},     {"a\\b", 0},   {"a@b", 0},     {"a,b", 0},
    {"a:b", 0},        {"a;b", 0},     {"a<b", 0},      {"a(b", 0},    {"a\n", 0},     {"-a", 0},
    {"_a", 0},         {"\xc3\xa9", 0}, {"a\x7f", 0},
};

static const struct {
  const char *s;
  int ok;
} domains[] = {
    {"a", 1},    {"example.com", 1}, {"a-b.c", 1}, {"1.2.3.4", 1},   {"xn--e1a.example", 1},
    {A32 A32, 0}, {"", 0},           {".", 0},     {"a.", 0},        {".a", 0},
    {"a..b", 0}, {"-a", 0},          {"a-", 0},    {"a.-b", 0},      {"a-.b", 0},
    {"A", 0},    {"a_b", 0},         {"a/b", 0},   {"a b", 0},       {"a:b", 0},
    {"\xc3\xa9", 0}, {A32 "." A32 "." A32 "." A32 "." A32 "." A32 "." A32 "." A32, 0},
};

static const struct {
  const char *s;
  size_t n;
  const char *user, *domain; /* null: none */
} addresses[] = {
    {"a@b", 3, "a", "b"},
    {"Alice@EXAMPLE.com", 17, "alice", "example.com"},
    {"a@b@c", 5, "a@b", "c"},
    {"\"a b\"@c", 7, "a b", "c"},
    {"\"a\\\"b\"@c", 8, "\"a\\\"b\"", "c"},
    {"\"\"@c", 4, "\"\"", "c"},
    {"a", 1, 0, 0},
    {"@b", 2, 0, 0},
    {"a@", 2, 0, 0},
    {"@", 1, 0, 0},
    {"", 0, 0, 0},
    {"a\0@b", 4, 0, 0},
    {A32 A32 "@b", 66, A32 A32, "b"},
    {A32 A32 "a@b", 67, 0, 0},
};

int main(void) {
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};

  for (size_t i = 0; i < sizeof users / sizeof *users; ++i)
    CHECK_CASE((name_user_fault(users[i].s, strlen(users[i].s)) == 0) == users[i].ok, users[i].s);
  CHECK(name_user_fault("a\0b", 3) != 0);
  for (size_t i = 0; i < sizeof domains / sizeof *domains; ++i)
    CHECK_CASE((name_domain_fault(domains[i].s, strlen(domains[i].s)) == 0) == domains[i].ok, domains[i].s);
  CHECK(name_domain_fault("a\0b", 3) != 0);
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; ++i) {
    int r = address_parse(&a, addresses[i].s, addresses[i].n);

    CHECK_CASE(r == (addresses[i].user != 0), addresses[i].s);
    if (r == 1)
      CHECK_CASE(stralloc_equals(&a.user, addresses[i].user) && stralloc_equals(&a.domain, addresses[i].domain),
                 addresses[i].s);
  }
  address_free(&a);
  for (long n = 1; n <= 2; ++n) {
    check_nomem(n);
    CHECK(address_parse(&a, "a@b", 3) == -1);
    check_nomem(0);
    address_free(&a);
  }
  return check_done();
}
