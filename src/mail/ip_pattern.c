/* ip_pattern: see ip_pattern.h. */
#include "mail/ip_pattern.h"

#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/scan.h"
#include "mail/addrlist.h"

#define PATTERN_MAX 64

static int network(const char *pattern, size_t n, size_t slash, const struct ip *ip) {
  struct ip net;
  uint64_t bits;
  size_t bytes;
  unsigned rest;

  if (!ip_scan(pattern, slash, &net) || net.family != ip->family) return 0;
  if (!scan_u64_max(pattern + slash + 1, n - slash - 1, ip->family == AF_INET ? 32 : 128, &bits)) return 0;
  bytes = (size_t)bits / 8;
  rest = (unsigned)bits % 8;
  if (memcmp(net.b, ip->b, bytes)) return 0;
  return !rest || !((net.b[bytes] ^ ip->b[bytes]) >> (8 - rest));
}

/* A part of an IPv4 address: number, range, or digits with * and ?. */
static int part(const char *s, size_t n, unsigned value) {
  char text[PATTERN_MAX], digits[FMT_U64 + 1];
  size_t dash = bytes_chr(s, n, '-');
  uint64_t from, to;

  if (dash < n) return scan_u64(s, dash, &from) && scan_u64(s + dash + 1, n - dash - 1, &to) && from <= value && value <= to;
  if (!n || n >= sizeof text) return 0;
  memcpy(text, s, n);
  text[n] = 0;
  fmt_u64_z(digits, value);
  return addrlist_wild(text, digits, strlen(digits));
}

/* 1, 0, -1 when these are not four parts. */
static int parts(const char *s, size_t n, const struct ip *ip) {
  int match = 1;

  for (int i = 0; i < 4; ++i) {
    size_t len = bytes_chr(s, n, '.');

    if ((len < n) != (i < 3)) return -1;
    match = match && part(s, len, ip->b[i]);
    if (len < n) ++len;
    s += len;
    n -= len;
  }
  return match;
}

static int as_text(const char *pattern, size_t n, const struct ip *ip) {
  char copy[PATTERN_MAX], text[IP_TEXT];

  if (n >= sizeof copy) return 0;
  memcpy(copy, pattern, n);
  copy[n] = 0;
  return addrlist_wild(copy, text, ip_fmt(text, ip));
}

int ip_pattern_match(const char *pattern, size_t n, const struct ip *ip) {
  size_t slash = bytes_chr(pattern, n, '/');
  struct ip other;
  int r = -1;

  if (slash < n) return network(pattern, n, slash, ip);
  if (ip_scan(pattern, n, &other)) return ip_equal(&other, ip);
  if (ip->family == AF_INET) r = parts(pattern, n, ip);
  return r != -1 ? r : as_text(pattern, n, ip);
}
