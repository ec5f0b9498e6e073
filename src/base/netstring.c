/* netstring: see netstring.h. */
#include "base/netstring.h"

#include <errno.h>

#define DIGITS 18 /* of a length: it cannot overflow */

long netstring_parse(const char *s, size_t n, size_t max, const char **content, size_t *len) {
  size_t i = 0;

  *len = 0;
  for (; i < n && s[i] >= '0' && s[i] <= '9'; ++i) {
    if (i == DIGITS || (i == 1 && s[0] == '0')) return -1;
    *len = *len * 10 + (size_t)(s[i] - '0');
  }
  if (*len > max || i + *len + 2 > max) return -1;
  if (i == n) return 0;
  if (!i || s[i] != ':') return -1;
  ++i;
  if (n - i <= *len) return 0;
  if (s[i + *len] != ',') return -1;
  *content = s + i;
  return (long)(i + *len + 1);
}

static int nonsense(int error) {
  errno = error;
  return -1;
}

/* The next byte: 1, 0 at the end of input, -1. */
static int next(substdio *in, uint64_t *left, char *c) {
  ssize_t r;

  if (!*left) return nonsense(EMSGSIZE);
  r = substdio_get(in, c, 1);
  if (r == 1 && *left != UINT64_MAX) --*left;
  return (int)r;
}

/* One that must be there. */
static int need(substdio *in, uint64_t *left, char *c) {
  int r = next(in, left, c);

  return r == 0 ? nonsense(EPROTO) : r;
}

int netstring_head(substdio *in, uint64_t *left, uint64_t *len) {
  char first, c;
  int r = next(in, left, &first);

  if (r != 1) return r;
  *len = 0;
  c = first;
  for (int digits = 0; c != ':'; ++digits) {
    if (c < '0' || c > '9' || digits == DIGITS || (digits && first == '0')) return nonsense(EPROTO);
    *len = *len * 10 + (uint64_t)(c - '0');
    if (need(in, left, &c) == -1) return -1;
  }
  if (first == ':') return nonsense(EPROTO);
  return *len < *left ? 1 : nonsense(EMSGSIZE);
}

int netstring_tail(substdio *in, uint64_t *left) {
  char c;

  if (need(in, left, &c) == -1) return -1;
  return c == ',' ? 0 : nonsense(EPROTO);
}

int netstring_get(substdio *in, uint64_t *left, size_t max, stralloc *out) {
  uint64_t len;
  int r = netstring_head(in, left, &len);

  stralloc_cut(out, 0);
  if (r != 1) return r;
  if (len > max) return nonsense(EMSGSIZE);
  if (!stralloc_ready(out, (size_t)len + 1)) return nonsense(ENOMEM);
  while (out->len < len) {
    ssize_t got = substdio_get(in, out->s + out->len, (size_t)len - out->len);

    if (got == 0) return nonsense(EPROTO);
    if (got == -1) return -1;
    out->len += (size_t)got;
  }
  out->s[out->len] = 0;
  if (*left != UINT64_MAX) *left -= len;
  return netstring_tail(in, left) == 0 ? 1 : -1;
}

int netstring_cat(stralloc *out, const char *s, size_t n) {
  return stralloc_catu64(out, n) && stralloc_append(out, ':') && stralloc_catb(out, s, n) && stralloc_append(out, ',');
}
