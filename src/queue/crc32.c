/* crc32: see crc32.h.  Eight bytes at a time over eight tables, which are made from the
 * polynomial when the program first needs them: messages of megabytes go through here. */
#include "queue/crc32.h"

#define POLYNOMIAL 0xedb88320u

struct tables {
  uint32_t t[8][256];
  int made;
};

static const struct tables *get_tables(void) {
  static struct tables all; /* constant once made */

  if (all.made) return &all;
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;

    for (int bit = 0; bit < 8; ++bit) c = c & 1 ? c >> 1 ^ POLYNOMIAL : c >> 1;
    all.t[0][i] = c;
  }
  for (int k = 1; k < 8; ++k)
    for (uint32_t i = 0; i < 256; ++i) all.t[k][i] = all.t[k - 1][i] >> 8 ^ all.t[0][all.t[k - 1][i] & 255];
  all.made = 1;
  return &all;
}

static uint32_t load(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t crc32(uint32_t crc, const char *s, size_t n) {
  const uint32_t(*t)[256] = get_tables()->t;
  const unsigned char *p = (const unsigned char *)s;

  crc = ~crc;
  for (; n >= 8; p += 8, n -= 8) {
    uint32_t a = crc ^ load(p);
    uint32_t b = load(p + 4);

    crc = t[7][a & 255] ^ t[6][a >> 8 & 255] ^ t[5][a >> 16 & 255] ^ t[4][a >> 24] ^ t[3][b & 255] ^
          t[2][b >> 8 & 255] ^ t[1][b >> 16 & 255] ^ t[0][b >> 24];
  }
  for (; n; ++p, --n) crc = crc >> 8 ^ t[0][(crc ^ *p) & 255];
  return ~crc;
}
