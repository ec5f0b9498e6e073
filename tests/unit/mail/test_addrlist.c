/* Lines of lists of addresses: exact, by domain, below a domain, by pattern. */
#include "mail/addrlist.h"

#include "check.h"

static const struct {
  const char *pattern, *text;
  int want;
} wild[] = {
    {"", "", 1},          {"", "a", 0},          {"a", "a", 1},        {"A", "a", 1},          {"a", "A", 1},
    {"*", "", 1},         {"*", "abc", 1},       {"a*c", "abbc", 1},   {"a*c", "abbd", 0},     {"*a*b*", "xaybz", 1},
    {"?", "", 0},         {"?", "x", 1},         {"a?c", "abc", 1},    {"[a-c]x", "bx", 1},    {"[a-c]x", "dx", 0},
    {"[!a-c]x", "dx", 1}, {"[^a-c]x", "bx", 0},  {"[]]", "]", 1},      {"[abc", "[abc", 1},    {"\\*", "*", 1},
    {"\\*", "a", 0},      {"\\", "\\", 1},       {"a**b", "ab", 1},    {"*@*.example", "x@y.example", 1},
    {"[a-]", "-", 1},     {"*x", "yxyx", 1},     {"a*", "a", 1},       {"[", "[", 1},
};

static const struct {
  const char *line, *address;
  int want;
} lines[] = {
    {"bad@example.com", "BAD@Example.COM", 1},       {"bad@example.com", "xbad@example.com", 0},
    {"@example.com", "any@example.com", 1},          {"@example.com", "any@sub.example.com", 0},
    {"@*.example.com", "any@sub.example.com", 1},    {"spam*@*", "spammer@x", 1},
    {".example.com", "any@sub.example.com", 1},      {".example.com", "any@example.com", 0},
    {"@.example.com", "any@a.b.example.com", 1},     {"@.example.com", "any@example.com", 0},
    {".example.com", "any@xexample.com", 0},         {"nodomain", "nodomain", 1},
    {"@", "a", 0},                                   {"", "a@b", 0},
    {".b", "b", 0},
};

int main(void) {
  char stars[101], as[2001];

  for (size_t i = 0; i < sizeof wild / sizeof *wild; ++i)
    CHECK_CASE(addrlist_wild(wild[i].pattern, wild[i].text, strlen(wild[i].text)) == wild[i].want, wild[i].pattern);
  for (size_t i = 0; i < sizeof lines / sizeof *lines; ++i)
    CHECK_CASE(addrlist_line(lines[i].line, lines[i].address, strlen(lines[i].address)) == lines[i].want, lines[i].line);
  /* A pattern meant to explode ends at once. */
  for (size_t i = 0; i < 100; ++i) stars[i] = i % 2 ? 'a' : '*';
  stars[100] = 0;
  memset(as, 'a', 2000);
  as[2000] = 0;
  CHECK(addrlist_wild(stars, as, 2000) == 1);
  stars[99] = 'b';
  CHECK(addrlist_wild(stars, as, 2000) == 0);
  return check_done();
}
