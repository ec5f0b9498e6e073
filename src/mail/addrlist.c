/* addrlist: see addrlist.h. */
#include "mail/addrlist.h"

#include <string.h>

#include "base/bytes.h"

static char lower(char c) {
  return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* One element of a pattern other than *, against c: its length, 0 when it does not
 * match.  A [ without ] stands for itself. */
static size_t element(const char *p, char c) {
  const char *end = p[0] == '[' && p[1] ? strchr(p + 2, ']') : 0;
  int match = 0, invert;
  const char *q = p + 1;

  if (p[0] == '?') return 1;
  if (p[0] == '\\' && p[1]) return lower(p[1]) == c ? 2 : 0;
  if (!end) return lower(p[0]) == c ? 1 : 0;
  invert = *q == '!' || *q == '^';
  for (q += invert; q < end; ++q) {
    char from = lower(*q), to = from;

    if (q[1] == '-' && q + 2 < end) {
      to = lower(q[2]);
      q += 2;
    }
    if (from <= c && c <= to) match = 1;
  }
  return match != invert ? (size_t)(end + 1 - p) : 0;
}

int addrlist_wild(const char *pattern, const char *s, size_t n) {
  const char *star = 0;
  size_t i = 0, mark = 0;

  /* On a mismatch the last star takes one byte more: earlier ones never need to. */
  while (i < n || *pattern == '*') {
    size_t step;

    if (*pattern == '*') {
      star = ++pattern;
      mark = i;
      continue;
    }
    step = *pattern ? element(pattern, lower(s[i])) : 0;
    if (step) {
      pattern += step;
      ++i;
    } else if (star) {
      pattern = star;
      i = ++mark;
    } else {
      return 0;
    }
  }
  return !*pattern;
}

int addrlist_is_wild(const char *line) {
  return strpbrk(line, "*?[\\") != 0;
}

/* ".suffix" against the domain. */
static int below(const char *suffix, size_t len, const char *domain, size_t n) {
  return len < n && bytes_caseequal(suffix, domain + n - len, len);
}

int addrlist_line(const char *line, const char *addr, size_t n) {
  size_t len = strlen(line), at = bytes_rchr(addr, n, '@');

  if (len == n && bytes_caseequal(line, addr, n)) return 1;
  if (addrlist_is_wild(line)) {
    if (line[0] == '@') return at < n && addrlist_wild(line, addr + at, n - at);
    return addrlist_wild(line, addr, n);
  }
  if (at == n) return 0;
  if (line[0] == '@' && len == n - at && bytes_caseequal(line, addr + at, len)) return 1;
  if (line[0] == '@' && line[1] == '.') return below(line + 1, len - 1, addr + at + 1, n - at - 1);
  return line[0] == '.' && below(line, len, addr + at + 1, n - at - 1);
}
