/* fmt: see fmt.h. */
#include "base/fmt.h"

size_t fmt_u64_pad(char *buf, uint64_t u, size_t width) {
  size_t n = 1;

  for (uint64_t q = u; q > 9; q /= 10) ++n;
  if (n < width) n = width;
  if (buf)
    for (size_t i = n; i; u /= 10) buf[--i] = (char)('0' + u % 10);
  return n;
}

size_t fmt_u64(char *buf, uint64_t u) {
  return fmt_u64_pad(buf, u, 1);
}

size_t fmt_i64(char *buf, int64_t i) {
  if (i >= 0) return fmt_u64(buf, (uint64_t)i);
  if (buf) *buf++ = '-';
  return 1 + fmt_u64(buf, 0 - (uint64_t)i);
}

size_t fmt_hex64_pad(char *buf, uint64_t u, size_t width) {
  if (buf)
    for (size_t i = width; i; u >>= 4) buf[--i] = "0123456789abcdef"[u & 15];
  return width;
}

size_t fmt_hex64(char *buf, uint64_t u) {
  size_t n = 1;

  for (uint64_t q = u; q > 15; q >>= 4) ++n;
  return fmt_hex64_pad(buf, u, n);
}

char *fmt_u64_z(char buf[FMT_U64 + 1], uint64_t u) {
  buf[fmt_u64(buf, u)] = 0;
  return buf;
}
