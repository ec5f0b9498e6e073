/* bounce_scan: see bounce_scan.h. */
#include "send/bounce_scan.h"

#include <string.h>

/* UTF-8, byte by byte (RFC 3629): need is how many bytes are still to come, low and high
 * what the next one may be. */
static int utf8_byte(int *need, unsigned char *low, unsigned char *high, unsigned char c) {
  if (*need) {
    int ok = c >= *low && c <= *high;

    *low = 0x80;
    *high = 0xbf;
    *need = ok ? *need - 1 : 0;
    return ok;
  }
  if (c < 0x80) return 1;
  if (c < 0xc2 || c > 0xf4) return 0;
  *need = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
  *low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
  *high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
  return 1;
}

int bounce_utf8(const char *s, size_t n, int *eight_bit) {
  unsigned char low = 0x80, high = 0xbf;
  int need = 0, ok = 1;

  *eight_bit = 0;
  for (size_t i = 0; i < n; ++i) {
    *eight_bit |= (unsigned char)s[i] > 127;
    ok &= utf8_byte(&need, &low, &high, (unsigned char)s[i]);
  }
  return ok && !need;
}

void bounce_boundary(char out[BOUNCE_BOUNDARY], const unsigned char random[16]) {
  static const char hex[] = "0123456789abcdef";
  char *p = out;

  *p++ = '=';
  *p++ = '_';
  for (int i = 0; i < 16; ++i) {
    *p++ = hex[random[i] >> 4];
    *p++ = hex[random[i] & 15];
  }
  *p = 0;
}

void bounce_scan_init(struct bounce_scan *b, const char *boundary) {
  memset(b, 0, sizeof *b);
  b->boundary = boundary;
  b->at_start = 1;
  b->low = 0x80;
  b->high = 0xbf;
}

static void search(struct bounce_scan *b, char c) {
  if (b->boundary[b->matched] != c) b->matched = 0;
  if (b->boundary[b->matched] != c) return;
  if (b->boundary[++b->matched]) return;
  b->found = 1;
  b->matched = 0;
}

static void header_byte(struct bounce_scan *b, unsigned char c) {
  if (c > 127) b->header_8bit = 1;
  if (!utf8_byte(&b->need, &b->low, &b->high, c)) b->header_bad = 1;
  ++b->header_size;
  if (c == '\n' && b->at_start) b->in_body = 1;
  b->at_start = c == '\n';
}

void bounce_scan_feed(struct bounce_scan *b, const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    search(b, s[i]);
    if (!b->in_body) header_byte(b, (unsigned char)s[i]);
    else if ((unsigned char)s[i] > 127) b->body_8bit = 1;
  }
  b->size += n;
}
