/* PROXY headers whole, and read as their parser says: it never asks for a byte that is not the header's. */
#include "net/proxy_header.h"

#include <stdlib.h>

#include "check.h"

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define IP4 "\300\000\002\001\300\000\002\002\026\056\000\031"
#define IP6 "\040\001\015\270\0\0\0\0\0\0\0\0\0\0\0\1\040\001\015\270\0\0\0\0\0\0\0\0\0\0\0\2\0\1\0\2"
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\377\377\300\0\2\1\0\0\0\0\0\0\0\0\0\0\377\377\300\0\2\2\0\1\0\2"
#define CASE(s) s, sizeof s - 1

static const struct {
  const char *s;
  size_t n;
  enum proxy_verdict want;
  const char *from; /* null: not known */
  unsigned port;
} cases[] = {
    {CASE("PROXY TCP4 192.0.2.1 192.0.2.2 5678 25\r\n"), PROXY_OK, "192.0.2.1", 5678},
    {CASE("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"), PROXY_OK, "2001:db8::1", 1},
    {CASE("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), PROXY_OK, "192.0.2.1", 1},
    {CASE("PROXY UNKNOWN\r\n"), PROXY_OK, 0, 0},
    {CASE("PROXY UNKNOWN ffff::1 whatever 1 2\r\n"), PROXY_OK, 0, 0},
    {CASE("PROXY UNKNOWNS\r\n"), PROXY_BAD, 0, 0},
    {CASE("PROXY TCP4 192.0.2.1 192.0.2.2 5678\r\n"), PROXY_BAD, 0, 0},
    {CASE("PROXY TCP4 192.0.2.1 192.0.2.2 5678 25 1\r\n"), PROXY_BAD, 0, 0},
    {CASE("PROXY TCP4  192.0.2.1 192.0.2.2 1 25\r\n"), PROXY_BAD, 0, 0},
    {CASE("PROXY TCP4 192.0.2.1 192.0.2.2 5678 65536\r\n"), PROXY_BAD, 0, 0},
    {CASE("PROXY TCP4 192.0.2.1 192.0.2.2 -1 25\r\n"), PROXY_BAD, 0, 0},
    {CASE("PROXY TCP4 2001:db8::1 192.0.2.2 1 25\r\n"), PROXY_BAD, 0, 0},
    {CASE("PROXY TCP6 192.0.2.1 ::1 1 25\r\n"), PROXY_BAD, 0, 0},
    {CASE("PROXY TCP4 192.0.2 192.0.2.2 1 25\r\n"), PROXY_BAD, 0, 0},
    {CASE("PROXY UDP4 192.0.2.1 192.0.2.2 1 25\r\n"), PROXY_BAD, 0, 0},
    {CASE("PROXY TCP4 192.0.2.1 192.0.2.2 5678 25\n"), PROXY_BAD, 0, 0},
    {CASE("PROXY TCP4 192.0.2.1 192.0.2.2 5678 25\rx"), PROXY_BAD, 0, 0},
    {CASE("PROXY TCP4 192.0.2.1 192.0.2.2 5678 25"), PROXY_MORE, 0, 0},
    {CASE("PROXY"), PROXY_MORE, 0, 0},
    {CASE("proxy TCP4"), PROXY_BAD, 0, 0},
    {CASE("EHLO x\r\n"), PROXY_BAD, 0, 0},
    {CASE(SIG "\041\021\0\014" IP4), PROXY_OK, "192.0.2.1", 5678},
    {CASE(SIG "\041\021\0\020" IP4 "\4\0\1x"), PROXY_OK, "192.0.2.1", 5678},
    {CASE(SIG "\041\041\0\044" IP6), PROXY_OK, "2001:db8::1", 1},
    {CASE(SIG "\041\041\0\044" MAPPED), PROXY_OK, "192.0.2.1", 1},
    {CASE(SIG "\040\0\0\0"), PROXY_OK, 0, 0},
    {CASE(SIG "\040\021\0\014" IP4), PROXY_OK, 0, 0},
    {CASE(SIG "\041\0\0\0"), PROXY_OK, 0, 0},
    {CASE(SIG "\041\022\0\014" IP4), PROXY_OK, 0, 0}, /* UDP */
    {CASE(SIG "\041\021\0\013" "12345678901"), PROXY_BAD, 0, 0},
    {CASE(SIG "\041\041\0\014" IP4), PROXY_BAD, 0, 0},
    {CASE(SIG "\021\021\0\014" IP4), PROXY_BAD, 0, 0},
    {CASE(SIG "\042\021\0\014" IP4), PROXY_BAD, 0, 0},
    {CASE(SIG "\041\101\0\0"), PROXY_BAD, 0, 0},
    {CASE(SIG "\041\023\0\0"), PROXY_BAD, 0, 0},
    {CASE(SIG "\041\021\004\001"), PROXY_BAD, 0, 0}, /* too long */
    {CASE(SIG "\041\021\377\377"), PROXY_BAD, 0, 0},
    {CASE(SIG "\041\021\0\014" "short"), PROXY_MORE, 0, 0},
    {CASE("\r\n\r\n\0\r\nQUIT\r"), PROXY_BAD, 0, 0},
    {CASE("\r\n\r\n"), PROXY_MORE, 0, 0},
};

static void judge(size_t i, enum proxy_verdict v, const struct proxy_header *h) {
  char text[IP_TEXT];

  CHECK_CASE(v == cases[i].want, cases[i].s);
  if (v != PROXY_OK) return;
  CHECK_CASE(h->known == (cases[i].from != 0), cases[i].s);
  if (!cases[i].from) return;
  ip_fmt(text, &h->from);
  CHECK_CASE(!strcmp(text, cases[i].from), cases[i].s);
  CHECK_CASE(h->from_port == cases[i].port, cases[i].s);
}

/* In a buffer of its own, so that tools see a read too far. */
static enum proxy_verdict parse(const char *s, size_t n, struct proxy_header *h, size_t *want) {
  char *copy = malloc(n ? n : 1);
  enum proxy_verdict v;

  memcpy(copy, s, n);
  v = proxy_header_parse(copy, n, h, want);
  free(copy);
  return v;
}

/* So many bytes at a time as are asked for, or one. */
static void read_as_asked(size_t i, int one) {
  struct proxy_header h;
  size_t n = 0, want = 0;
  enum proxy_verdict v;

  while ((v = parse(cases[i].s, n, &h, &want)) == PROXY_MORE) {
    CHECK_CASE(want > 0, cases[i].s);
    if (cases[i].want == PROXY_OK) CHECK_CASE(n + want <= cases[i].n, cases[i].s);
    n += one ? 1 : want;
    if (n > cases[i].n) break;
  }
  if (n > cases[i].n) CHECK_CASE(cases[i].want != PROXY_OK, cases[i].s);
  else judge(i, v, &h);
}

static void long_line(void) {
  char line[120] = "PROXY UNKNOWN ";
  struct proxy_header h;
  size_t want;

  memset(line + 14, 'x', sizeof line - 14);
  memcpy(line + 105, "\r\n", 2);
  CHECK(parse(line, 107, &h, &want) == PROXY_OK);
  memcpy(line + 105, "x\r\n", 3);
  CHECK(parse(line, 108, &h, &want) == PROXY_BAD && parse(line, 106, &h, &want) == PROXY_BAD);
}

int main(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    struct proxy_header h;
    size_t want;

    judge(i, parse(cases[i].s, cases[i].n, &h, &want), &h);
    read_as_asked(i, 0);
    read_as_asked(i, 1);
  }
  long_line();
  return check_done();
}
