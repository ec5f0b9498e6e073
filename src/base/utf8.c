/* utf8: see utf8.h. */
#include "base/utf8.h"

/* By first byte: how many follow, and what the second one may be; the rest are 80..BF. */
static const struct {
  unsigned char first, last, more, low, high;
} forms[] = {
    {0x00, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
    {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
    {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

static int follows(unsigned char c, unsigned char low, unsigned char high) {
  return c >= low && c <= high;
}

/* Length of the character at the start; 0: none. */
static size_t length(const unsigned char *s, size_t n) {
  size_t i = 0;

  while (i < sizeof forms / sizeof *forms && !follows(*s, forms[i].first, forms[i].last)) ++i;
  if (i == sizeof forms / sizeof *forms || n <= forms[i].more) return 0;
  for (size_t k = 1; k <= forms[i].more; ++k)
    if (!follows(s[k], k == 1 ? forms[i].low : 0x80, k == 1 ? forms[i].high : 0xbf)) return 0;
  return forms[i].more + 1u;
}

int utf8_valid(const char *s, size_t n) {
  while (n) {
    size_t used = length((const unsigned char *)s, n);

    if (!used) return 0;
    s += used;
    n -= used;
  }
  return 1;
}

size_t utf8_character(const char *s, size_t n, uint32_t *number) {
  const unsigned char *u = (const unsigned char *)s;
  size_t used = n ? length(u, n) : 0;

  if (!used) return 0;
  *number = used == 1 ? u[0] : u[0] & (0x7fu >> used);
  for (size_t k = 1; k < used; ++k) *number = *number << 6 | (u[k] & 0x3fu);
  return used;
}
