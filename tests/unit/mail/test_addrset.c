/* Whole lists: every answer is that of going through the lines one by one, however the lines
 * are found; names, regular expressions, and lists that are long. */
#include "mail/addrset.h"

#include <stdlib.h>

#include "check.h"
#include "mail/addrlist.h"

static const struct {
  const char *lines, *subject;
  enum addrset_verdict want;
} addresses[] = {
    {"bad@example.com\n", "bad@example.com", ADDRSET_IN},
    {"  # no\nbad@example.com \t\r\n", "BAD@Example.COM", ADDRSET_IN},
    {"bad@example.com", "xbad@example.com", ADDRSET_NONE},
    {"@example.com", "any@example.com", ADDRSET_IN},
    {"@example.com", "any@sub.example.com", ADDRSET_NONE},
    {"@.example.com", "any@sub.example.com", ADDRSET_IN},
    {".example.com", "any@a.b.example.com", ADDRSET_IN},
    {".example.com\n@.example.com", "any@example.com", ADDRSET_NONE},
    {".example.com", "any@badexample.com", ADDRSET_NONE},
    {"example.com", "any@example.com", ADDRSET_NONE},
    {"@*.example.com", "any@sub.example.com", ADDRSET_IN},
    {"spam*@*", "spammer@x", ADDRSET_IN},
    {"*@example.com\n!good@example.com", "good@example.com", ADDRSET_BACK},
    {"*@example.com\n!good@example.com", "evil@example.com", ADDRSET_IN},
    {"!good@example.com\n*@example.com", "good@example.com", ADDRSET_IN},
    {"@example.com\n!@example.com\ngood@example.com", "good@example.com", ADDRSET_IN},
    {"@example.com\n!@example.com\ngood@example.com", "bad@example.com", ADDRSET_BACK},
    {"a@b\n!a@b\nA@b", "a@b", ADDRSET_IN},
    {"a@b\n!a@b", "a@b", ADDRSET_BACK},
    {"!a*\na@b", "a@b", ADDRSET_IN},
    {"a@b\n!a*", "a@b", ADDRSET_BACK},
    {"nodomain", "nodomain", ADDRSET_IN},
    {"@", "a", ADDRSET_NONE},
    {"@", "a@", ADDRSET_IN},
    {"", "a@b", ADDRSET_NONE},
    {"!", "a@b", ADDRSET_NONE},
    {"@b@c", "a@b@c", ADDRSET_NONE},
    {"@c", "a@b@c", ADDRSET_IN},
};

static const struct {
  const char *lines, *subject;
  enum addrset_verdict want;
} names[] = {
    {"example.com", "Example.com", ADDRSET_IN},   {"@example.com", "example.com", ADDRSET_IN},
    {".example.com", "a.example.com", ADDRSET_IN}, {"@.example.com", "a.example.com", ADDRSET_IN},
    {".example.com", "example.com", ADDRSET_NONE}, {"*.example.com", "a.example.com", ADDRSET_IN},
    {"@*.example.com", "a.example.com", ADDRSET_IN}, {"example.com", "a.example.com", ADDRSET_NONE},
    {"*\n!.example.com", "a.example.com", ADDRSET_BACK}, {"com", "example.com", ADDRSET_NONE},
    {"[1-3]*", "2.example", ADDRSET_IN},
};

static const struct {
  const char *lines, *subject;
  enum addrset_verdict want;
} expressions[] = {
    {"^spam.*@", "SPAMMER@x", ADDRSET_IN},
    {"^spam.*@", "nospam@x", ADDRSET_NONE},
    {"@example\\.com$", "a@example.com", ADDRSET_IN},
    {"@example\\.com$", "a@example.comx", ADDRSET_NONE},
    {"!@example\\.com$", "a@example.com", ADDRSET_NONE},
    {"!@example\\.com$", "a@example.org", ADDRSET_IN},
    {"x\n!^(a|b)@", "c@d", ADDRSET_IN},
    {"(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", ADDRSET_FAILED},
    {"^(a+)+$\nb", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab!", ADDRSET_IN},
};

static enum addrset_verdict ask(int regex, enum addrset_subject what, const char *lines, const char *subject) {
  struct addrset s = {.regex = regex};
  struct strerr e;
  enum addrset_verdict verdict;

  CHECK_CASE(addrset_add(&s, "list", lines, strlen(lines), &e) == 0, lines);
  verdict = addrset_find(&s, what, subject, strlen(subject));
  addrset_free(&s);
  addrset_free(&s);
  return verdict;
}

/* --- the same as trying every line --- */

static enum addrset_verdict slowly(const char *lines, const char *subject) {
  enum addrset_verdict verdict = ADDRSET_NONE;
  char line[64];

  while (*lines) {
    size_t n = strcspn(lines, "\n");

    snprintf(line, sizeof line, "%.*s", (int)n, lines);
    if (n && addrlist_line(line + (*line == '!'), subject, strlen(subject)))
      verdict = *line == '!' ? ADDRSET_BACK : ADDRSET_IN;
    lines += n + (lines[n] != 0);
  }
  return verdict;
}

static char *random_text(unsigned *seed, char *out, const char *const *words, size_t count, size_t most) {
  *out = 0;
  for (size_t n = (size_t)rand_r(seed) % most + 1; n; --n) strcat(out, words[(size_t)rand_r(seed) % count]);
  return out;
}

static void compared(void) {
  static const char *const parts[] = {"a", "b", "@", ".", "A", "*", "?", "[a-b]", "a@", "@a", ".b", "\n", "\n!", "\n@", "\n.", "\n!@."};
  static const char *const plain[] = {"a", "b", "@", ".", "A", "a@", "@a", ".b"};
  unsigned seed = 1;

  for (int i = 0; i < 200000; ++i) {
    char lines[256], subject[64];

    random_text(&seed, lines, parts, sizeof parts / sizeof *parts, 12);
    random_text(&seed, subject, plain, sizeof plain / sizeof *plain, 5);
    if (slowly(lines, subject) != ask(0, ADDRSET_ADDRESS, lines, subject)) {
      char text[400];

      snprintf(text, sizeof text, "lines %s subject %s", lines, subject);
      CHECK_CASE(0, text);
      return;
    }
  }
}

/* --- long lists, errors --- */

static void many(void) {
  struct addrset s = {0};
  struct strerr e;
  char line[64];

  for (int i = 0; i < 100000; ++i) {
    snprintf(line, sizeof line, "user%d@host%d.example\n", i, i % 1000);
    CHECK(addrset_add(&s, "list", line, strlen(line), &e) == 0);
  }
  CHECK(s.len == 100000 && s.wilds == 0);
  for (int i = 0; i < 100000; i += 777) {
    snprintf(line, sizeof line, "USER%d@host%d.example", i, i % 1000);
    CHECK_CASE(addrset_find(&s, ADDRSET_ADDRESS, line, strlen(line)) == ADDRSET_IN, line);
    snprintf(line, sizeof line, "user%d@host%d.example", i, i % 1000 + 1);
    CHECK_CASE(addrset_find(&s, ADDRSET_ADDRESS, line, strlen(line)) == ADDRSET_NONE, line);
  }
  addrset_free(&s);
}

static void errors(void) {
  struct addrset s = {.regex = 1};
  struct strerr e;

  CHECK(addrset_add(&s, "some/list", "fine\n\n# no\n(broken\n", 20, &e) == -1);
  CHECK_CASE(!strncmp(e.text, "some/list:4: not a regular expression: ", 39) && e.permanent, e.text);
  addrset_free(&s);
  s.regex = 0;
  CHECK(addrset_add(&s, "list", "a\0b\n", 4, &e) == -1 && !strcmp(e.text, "list:1: a NUL byte is not allowed"));
  addrset_free(&s);
  for (long n = 1;; ++n) { /* every allocation fails once */
    int r;

    s.regex = n % 2 == 1;
    check_nomem(n / 2 + 1);
    r = addrset_add(&s, "list", "a@b\n*c\n!d\n", 10, &e);
    if (check_allocs() < n / 2 + 1 && n > 40) n = -1;
    check_nomem(0);
    CHECK(r == 0 || *e.text);
    addrset_free(&s);
    if (n < 0) break;
  }
}

int main(void) {
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; ++i)
    CHECK_CASE(ask(0, ADDRSET_ADDRESS, addresses[i].lines, addresses[i].subject) == addresses[i].want, addresses[i].lines);
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
    CHECK_CASE(ask(0, ADDRSET_NAME, names[i].lines, names[i].subject) == names[i].want, names[i].lines);
  for (size_t i = 0; i < sizeof expressions / sizeof *expressions; ++i)
    CHECK_CASE(ask(1, ADDRSET_ADDRESS, expressions[i].lines, expressions[i].subject) == expressions[i].want, expressions[i].lines);
  compared();
  many();
  errors();
  return check_done();
}
