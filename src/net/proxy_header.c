/* proxy_header: see proxy_header.h. */
#include "net/proxy_header.h"

#include <string.h>

#include "base/bytes.h"
#include "base/scan.h"

#define V1_MIN 15   /* "PROXY UNKNOWN\r\n", the shortest */
#define V1_MAX 107  /* with its CR LF */
#define V1_WORDS 6
#define V2_FIRST 16 /* signature, version and command, family, length */

static const char v1[] = "PROXY ";
static const char v2[] = "\r\n\r\n\0\r\nQUIT\n";
#define V1_TAG (sizeof v1 - 1)
#define V2_TAG (sizeof v2 - 1)

static int begins(const char *s, size_t n, const char *tag, size_t tag_n) {
  return !memcmp(s, tag, n < tag_n ? n : tag_n);
}

/* --- version 1: a line --- */

struct word {
  const char *s;
  size_t n;
};

/* Words with single blanks between them: how many, or 0. */
static size_t split(const char *s, size_t n, struct word word[V1_WORDS]) {
  size_t words = 0;

  for (;;) {
    size_t len = bytes_chr(s, n, ' ');

    if (!len || words == V1_WORDS) return 0;
    word[words++] = (struct word){s, len};
    if (len == n) return words;
    s += len + 1;
    n -= len + 1;
  }
}

/* An address of the family, in the way its family is written. */
static int address(const struct word *w, int family, struct ip *ip) {
  int colon = memchr(w->s, ':', w->n) != 0;

  return ip_scan(w->s, w->n, ip) && colon == (family == AF_INET6);
}

static enum proxy_verdict parse_line(const char *s, size_t n, struct proxy_header *h) {
  struct word w[V1_WORDS];
  size_t words;
  int family;

  if (n >= 13 && !memcmp(s, "PROXY UNKNOWN", 13)) return n == 13 || s[13] == ' ' ? PROXY_OK : PROXY_BAD;
  words = split(s, n, w);
  if (words != V1_WORDS || w[1].n != 4 || (memcmp(w[1].s, "TCP4", 4) && memcmp(w[1].s, "TCP6", 4))) return PROXY_BAD;
  family = w[1].s[3] == '4' ? AF_INET : AF_INET6;
  h->known = address(&w[2], family, &h->from) && address(&w[3], family, &h->to) &&
             scan_port(w[4].s, w[4].n, &h->from_port) && scan_port(w[5].s, w[5].n, &h->to_port);
  return h->known ? PROXY_OK : PROXY_BAD;
}

/* The line may not be read beyond its end, which comes a byte after its CR. */
static enum proxy_verdict parse_v1(const char *s, size_t n, struct proxy_header *h, size_t *want) {
  size_t cr = bytes_chr(s, n, '\r');

  if (memchr(s, '\n', cr) || cr + 2 > V1_MAX) return PROXY_BAD;
  *want = n < V1_MIN && cr == n ? V1_MIN - n : 1;
  if (cr == n || cr + 1 == n) return PROXY_MORE;
  return cr + 2 == n && s[cr + 1] == '\n' ? parse_line(s, cr, h) : PROXY_BAD;
}

/* --- version 2: binary --- */

static unsigned big_endian(const unsigned char *p) {
  return (unsigned)p[0] << 8 | p[1];
}

static void take_ip(struct ip *ip, int family, const unsigned char *p) {
  char text[IP_TEXT];
  struct ip raw = {.family = family};

  memcpy(raw.b, p, family == AF_INET ? 4 : 16);
  if (!ip_scan(text, ip_fmt(text, &raw), ip)) *ip = raw; /* a mapped address becomes IPv4 */
}

static enum proxy_verdict take_addresses(const unsigned char *p, size_t n, int family, struct proxy_header *h) {
  size_t size = family == AF_INET ? 4 : 16;

  if (n < 2 * size + 4) return PROXY_BAD;
  take_ip(&h->from, family, p);
  take_ip(&h->to, family, p + size);
  h->from_port = (uint16_t)big_endian(p + 2 * size);
  h->to_port = (uint16_t)big_endian(p + 2 * size + 2);
  h->known = 1;
  return PROXY_OK;
}

/* What comes behind the addresses is of no interest, but has to be there. */
static enum proxy_verdict parse_v2(const char *s, size_t n, struct proxy_header *h, size_t *want) {
  const unsigned char *p = (const unsigned char *)s;
  size_t length;

  *want = V2_FIRST - n;
  if (n < V2_FIRST) return PROXY_MORE;
  length = big_endian(p + 14);
  if (p[12] != 0x20 && p[12] != 0x21) return PROXY_BAD;
  if (length > PROXY_HEADER_MAX - V2_FIRST || n > V2_FIRST + length) return PROXY_BAD;
  *want = V2_FIRST + length - n;
  if (*want) return PROXY_MORE;
  if (p[12] == 0x20) return PROXY_OK; /* itself */
  if (p[13] == 0x11) return take_addresses(p + V2_FIRST, length, AF_INET, h);
  if (p[13] == 0x21) return take_addresses(p + V2_FIRST, length, AF_INET6, h);
  return p[13] >> 4 > 3 || (p[13] & 15) > 2 ? PROXY_BAD : PROXY_OK;
}

enum proxy_verdict proxy_header_parse(const char *s, size_t n, struct proxy_header *h, size_t *want) {
  memset(h, 0, sizeof *h);
  *want = V1_MIN;
  if (!n) return PROXY_MORE;
  if (begins(s, n, v1, V1_TAG)) return parse_v1(s, n, h, want);
  return begins(s, n, v2, V2_TAG) ? parse_v2(s, n, h, want) : PROXY_BAD;
}
