/* base64: see base64.h. */
#include "base/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(stralloc *out, const char *s, size_t n) {
  for (size_t i = 0; i < n; i += 3) {
    uint32_t bits = 0;
    size_t have = n - i < 3 ? n - i : 3;
    char quad[4];

    for (size_t j = 0; j < 3; ++j) bits = bits << 8 | (j < have ? (unsigned char)s[i + j] : 0);
    for (size_t j = 0; j < 4; ++j) quad[j] = j <= have ? alphabet[bits >> (18 - 6 * j) & 63] : '=';
    if (!stralloc_catb(out, quad, sizeof quad)) return 0;
  }
  return 1;
}

static int value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(stralloc *out, const char *s, size_t n) {
  if (n % 4) return 0;
  for (size_t i = 0; i < n; i += 4) {
    size_t digits = 4;
    uint32_t bits = 0;
    char bytes[3];

    if (i + 4 == n) digits -= s[i + 3] != '=' ? 0 : s[i + 2] != '=' ? 1 : 2;
    for (size_t j = 0; j < 4; ++j) {
      int v = j < digits ? value(s[i + j]) : 0;

      if (v < 0) return 0;
      bits = bits << 6 | (uint32_t)v;
    }
    if ((digits == 3 && bits & 0xff) || (digits == 2 && bits & 0xffff)) return 0;
    for (size_t j = 0; j < 3; ++j) bytes[j] = (char)(bits >> (16 - 8 * j));
    if (!stralloc_catb(out, bytes, digits - 1)) return -1;
  }
  return 1;
}
