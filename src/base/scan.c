/* scan: see scan.h. */
#include "base/scan.h"

size_t scan_u64_prefix(const char *s, size_t n, uint64_t *u) {
  uint64_t v = 0;
  size_t i;

  for (i = 0; i < n && s[i] >= '0' && s[i] <= '9'; ++i)
    if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(s[i] - '0'), &v))
      return 0;
  if (i) *u = v;
  return i;
}

int scan_u64_max(const char *s, size_t n, uint64_t max, uint64_t *u) {
  uint64_t v;

  if (!n || scan_u64_prefix(s, n, &v) != n || v > max) return 0;
  *u = v;
  return 1;
}

int scan_u64(const char *s, size_t n, uint64_t *u) {
  return scan_u64_max(s, n, UINT64_MAX, u);
}

int scan_u32(const char *s, size_t n, uint32_t *u) {
  uint64_t v;

  if (!scan_u64_max(s, n, UINT32_MAX, &v)) return 0;
  *u = (uint32_t)v;
  return 1;
}

int scan_port(const char *s, size_t n, uint16_t *port) {
  uint64_t v;

  if (!scan_u64_max(s, n, 65535, &v)) return 0;
  *port = (uint16_t)v;
  return 1;
}

int scan_i64(const char *s, size_t n, int64_t *i) {
  int negative = n && s[0] == '-';
  uint64_t v;

  if (n && (s[0] == '-' || s[0] == '+')) ++s, --n;
  if (!scan_u64_max(s, n, (uint64_t)INT64_MAX + (negative ? 1 : 0), &v)) return 0;
  *i = negative ? (int64_t)(0 - v) : (int64_t)v;
  return 1;
}

static int scan_base(const char *s, size_t n, uint64_t base, uint64_t max, uint64_t *u) {
  uint64_t v = 0;

  if (!n) return 0;
  for (size_t i = 0; i < n; ++i) {
    int d = scan_hexdigit(s[i]);

    if (d < 0 || (uint64_t)d >= base) return 0;
    if (v > (max - (uint64_t)d) / base) return 0;
    v = v * base + (uint64_t)d;
  }
  *u = v;
  return 1;
}

int scan_octal(const char *s, size_t n, uint32_t *u) {
  uint64_t v;

  if (!scan_base(s, n, 8, UINT32_MAX, &v)) return 0;
  *u = (uint32_t)v;
  return 1;
}

int scan_hex64(const char *s, size_t n, uint64_t *u) {
  return scan_base(s, n, 16, UINT64_MAX, u);
}

int scan_hexdigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
