/* quota: see quota.h. */
#include "user/quota.h"

#include <string.h>

#include "base/bytes.h"
#include "base/scan.h"

#define QUOTA_MAX (UINT64_C(1) << 62)

static const struct {
  char letter;
  uint64_t factor;
} units[] = {{'k', 1u << 10}, {'m', 1u << 20}, {'g', 1u << 30}};

/* One part: a number, a unit, and which of the two limits it is (S or C; the first
 * part is bytes and the second the count when it does not say). */
static int part(const char *s, size_t n, int second, struct quota *q) {
  uint64_t u;
  size_t i = scan_u64_prefix(s, n, &u);
  int count = second;

  if (!i) return 0;
  if (i < n)
    for (size_t j = 0; j < sizeof units / sizeof *units; ++j)
      if ((s[i] | 32) == units[j].letter) {
        if (__builtin_mul_overflow(u, units[j].factor, &u)) return 0;
        ++i;
        break;
      }
  if (i < n && (s[i] | 32) == 's') count = 0, ++i;
  else if (i < n && (s[i] | 32) == 'c') count = 1, ++i;
  if (i != n || u > QUOTA_MAX) return 0;
  *(count ? &q->count : &q->bytes) = u;
  return 1;
}

int quota_parse(const char *s, size_t n, struct quota *q) {
  struct quota got = {0, 0};
  size_t comma = bytes_chr(s, n, ',');

  if (n && !(n == 7 && bytes_caseequal(s, "NOQUOTA", 7))) {
    if (!part(s, comma, 0, &got)) return 0;
    if (comma < n && !part(s + comma + 1, n - comma - 1, 1, &got)) return 0;
  }
  *q = got;
  return 1;
}

int quota_none(const struct quota *q) {
  return !q->bytes && !q->count;
}

int quota_said(const char *s, struct quota *q) {
  return *s && quota_parse(s, strlen(s), q);
}

int quota_fmt(stralloc *s, const struct quota *q) {
  stralloc_cut(s, 0);
  if (quota_none(q)) return stralloc_catlit(s, "NOQUOTA");
  if (!stralloc_catu64(s, q->bytes) || !stralloc_append(s, 'S')) return 0;
  return !q->count || (stralloc_append(s, ',') && stralloc_catu64(s, q->count) && stralloc_append(s, 'C'));
}
