/* stralloc: see stralloc.h.  Growth is by an eighth plus a constant, so a string
 * built byte by byte costs a logarithmic number of reallocations. */
#include "base/stralloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"

int stralloc_ready(stralloc *sa, size_t n) {
  size_t want;
  char *s;

  if (__builtin_add_overflow(n, 1, &want)) {
    errno = ENOMEM;
    return 0;
  }
  if (want <= sa->a) return 1;
  if (__builtin_add_overflow(want, (want >> 3) + 30, &want)) {
    errno = ENOMEM;
    return 0;
  }
  s = realloc(sa->s, want);
  if (!s) return 0;
  sa->s = s;
  sa->a = want;
  sa->s[sa->len] = 0;
  return 1;
}

int stralloc_readyplus(stralloc *sa, size_t n) {
  size_t total;

  if (__builtin_add_overflow(sa->len, n, &total)) {
    errno = ENOMEM;
    return 0;
  }
  return stralloc_ready(sa, total);
}

int stralloc_copyb(stralloc *sa, const char *s, size_t n) {
  if (!stralloc_ready(sa, n)) return 0;
  if (n) memmove(sa->s, s, n);
  sa->len = n;
  sa->s[n] = 0;
  return 1;
}

int stralloc_copys(stralloc *sa, const char *s) {
  return stralloc_copyb(sa, s, strlen(s));
}

int stralloc_copy(stralloc *sa, const stralloc *from) {
  return stralloc_copyb(sa, from->s, from->len);
}

int stralloc_catb(stralloc *sa, const char *s, size_t n) {
  if (!stralloc_readyplus(sa, n)) return 0;
  if (n) memcpy(sa->s + sa->len, s, n);
  sa->len += n;
  sa->s[sa->len] = 0;
  return 1;
}

int stralloc_cats(stralloc *sa, const char *s) {
  return stralloc_catb(sa, s, strlen(s));
}

int stralloc_cat(stralloc *sa, const stralloc *from) {
  return stralloc_catb(sa, from->s, from->len);
}

int stralloc_append(stralloc *sa, char c) {
  return stralloc_catb(sa, &c, 1);
}

int stralloc_catu64(stralloc *sa, uint64_t u) {
  char buf[FMT_U64];

  return stralloc_catb(sa, buf, fmt_u64(buf, u));
}

int stralloc_cati64(stralloc *sa, int64_t i) {
  char buf[FMT_U64 + 1];

  return stralloc_catb(sa, buf, fmt_i64(buf, i));
}

int stralloc_catm(stralloc *sa, ...) {
  size_t was = sa->len;
  const char *s;
  va_list ap;

  va_start(ap, sa);
  while ((s = va_arg(ap, const char *)) != 0) {
    if (!stralloc_cats(sa, s)) {
      va_end(ap);
      stralloc_cut(sa, was);
      return 0;
    }
  }
  va_end(ap);
  return 1;
}

int stralloc_catz(stralloc *sa, const char *s, size_t n) {
  if (!stralloc_readyplus(sa, n + 1)) return 0;
  if (n) memcpy(sa->s + sa->len, s, n);
  sa->len += n;
  sa->s[sa->len++] = 0;
  sa->s[sa->len] = 0;
  return 1;
}

void stralloc_cut(stralloc *sa, size_t n) {
  if (n >= sa->len) return;
  sa->len = n;
  sa->s[n] = 0;
}

void stralloc_shift(stralloc *sa, size_t n) {
  if (n >= sa->len) {
    stralloc_cut(sa, 0);
    return;
  }
  memmove(sa->s, sa->s + n, sa->len - n);
  stralloc_cut(sa, sa->len - n);
}

void stralloc_chomp(stralloc *sa) {
  size_t n = sa->len;

  while (n && memchr(" \t\r\n", sa->s[n - 1], 4)) --n;
  stralloc_cut(sa, n);
}

const char *stralloc_cstr(const stralloc *sa) {
  return sa->s ? sa->s : "";
}

int stralloc_equals(const stralloc *sa, const char *s) {
  size_t n = strlen(s);

  return sa->len == n && (!n || !memcmp(sa->s, s, n));
}

int stralloc_starts(const stralloc *sa, const char *prefix) {
  size_t n = strlen(prefix);

  return sa->len >= n && (!n || !memcmp(sa->s, prefix, n));
}

void stralloc_wipe(stralloc *sa) {
  if (sa->s) explicit_bzero(sa->s, sa->a);
  stralloc_free(sa);
}

void stralloc_free(stralloc *sa) {
  free(sa->s);
  sa->s = 0;
  sa->len = sa->a = 0;
}
