/* rate: see rate.h.  Here: expressions, the text of a rate file, the rule. */
#include "send/rate.h"

#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/scan.h"

/* --- expressions --- */

struct parser {
  const char *s, *end;
  unsigned depth;
};

static int64_t gcd(int64_t a, int64_t b) {
  while (b) {
    int64_t rest = a % b;

    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

/* Into lowest terms: 1, or 0 when it does not fit. */
static int settle(struct ratio *r, __int128 num, __int128 den) {
  __int128 a = num < 0 ? -num : num;
  __int128 b = den < 0 ? -den : den;

  if (!den) return 0;
  while (b) {
    __int128 rest = a % b;

    a = b;
    b = rest;
  }
  if (den < 0) a = -a;
  num /= a;
  den /= a;
  if (num > INT64_MAX || num < -INT64_MAX || den > INT64_MAX) return 0;
  r->num = (int64_t)num;
  r->den = (int64_t)den;
  return 1;
}

static char next(struct parser *p) {
  while (p->s < p->end && (*p->s == ' ' || *p->s == '\t')) ++p->s;
  return p->s < p->end ? *p->s : 0;
}

static int parse_sum(struct parser *p, struct ratio *r);

static int parse_number(struct parser *p, struct ratio *r) {
  uint64_t u;
  size_t n = scan_u64_prefix(p->s, (size_t)(p->end - p->s), &u);

  if (!n || u > INT64_MAX) return 0;
  p->s += n;
  *r = (struct ratio){(int64_t)u, 1};
  return 1;
}

static int parse_factor(struct parser *p, struct ratio *r) {
  char c = next(p);
  int ok;

  if (c >= '0' && c <= '9') return parse_number(p, r);
  if ((c != '(' && c != '-' && c != '+') || p->depth >= RATE_DEPTH_MAX) return 0;
  ++p->s;
  ++p->depth;
  if (c == '(') {
    ok = parse_sum(p, r) && next(p) == ')';
    p->s += ok;
  } else {
    ok = parse_factor(p, r);
    if (ok && c == '-') r->num = -r->num;
  }
  --p->depth;
  return ok;
}

static int parse_product(struct parser *p, struct ratio *r) {
  if (!parse_factor(p, r)) return 0;
  for (char c = next(p); c == '*' || c == '/'; c = next(p)) {
    struct ratio b;

    ++p->s;
    if (!parse_factor(p, &b)) return 0;
    if (c == '*' ? !settle(r, (__int128)r->num * b.num, (__int128)r->den * b.den)
                 : !settle(r, (__int128)r->num * b.den, (__int128)r->den * b.num))
      return 0;
  }
  return 1;
}

static int parse_sum(struct parser *p, struct ratio *r) {
  if (!parse_product(p, r)) return 0;
  for (char c = next(p); c == '+' || c == '-'; c = next(p)) {
    struct ratio b;
    int64_t common;

    ++p->s;
    if (!parse_product(p, &b)) return 0;
    if (c == '-') b.num = -b.num;
    common = gcd(r->den, b.den); /* keeps the terms below 127 bits */
    if (!settle(r, (__int128)r->num * (b.den / common) + (__int128)b.num * (r->den / common),
                (__int128)r->den * (b.den / common)))
      return 0;
  }
  return 1;
}

int rate_value(const char *s, size_t n, struct ratio *r) {
  struct parser p = {s, s + n, 0};
  struct ratio got;

  if (n > RATE_TEXT_MAX || !parse_sum(&p, &got) || next(&p) || p.s != p.end) return 0;
  *r = got;
  return 1;
}

/* --- the file's text --- */

int rate_set(struct rate_record *r, const char *text, size_t n) {
  if (!rate_value(text, n, &r->limit)) return 0;
  while (text[n - 1] == ' ') --n;
  memcpy(r->text, text, n);
  r->text[n] = 0;
  return 1;
}

/* The next line of what is left; a missing one is "0".  0: it is no number. */
static int take_number(const char **s, size_t *n, uint64_t *u) {
  size_t len = bytes_chr(*s, *n, '\n');

  *u = 0;
  if (len && !scan_u64_max(*s, len, INT64_MAX, u)) return 0;
  *s += len;
  *n -= len;
  if (*n) {
    ++*s;
    --*n;
  }
  return 1;
}

int rate_parse(struct rate_record *r, const char *s, size_t n) {
  size_t len = bytes_chr(s, n, '\n');
  struct rate_record got = {{0}, {0, 1}, 0, 0, 0};
  uint64_t start, last;

  if (n > RATE_FILE_MAX || !rate_set(&got, s, len)) return 0;
  s += len + (len < n);
  n -= len + (len < n);
  if (!take_number(&s, &n, &got.count) || !take_number(&s, &n, &start) || !take_number(&s, &n, &last) || n) return 0;
  got.start = (int64_t)start;
  got.last = (int64_t)last;
  *r = got;
  return 1;
}

size_t rate_format(char buf[RATE_FILE_MAX], const struct rate_record *r, size_t least) {
  size_t n = strlen(r->text);

  memcpy(buf, r->text, n);
  while (n < RATE_TEXT_MAX && n + RATE_NUMBERS < least) buf[n++] = ' ';
  buf[n++] = '\n';
  n += fmt_u64_pad(buf + n, r->count, 20);
  buf[n++] = '\n';
  n += fmt_u64_pad(buf + n, (uint64_t)r->start, 20);
  buf[n++] = '\n';
  n += fmt_u64_pad(buf + n, (uint64_t)r->last, 20);
  buf[n++] = '\n';
  return n;
}

/* --- the rule --- */

/* When, after the start, so many mails are within the limit. */
static int64_t seconds_for(const struct rate_record *r) {
  unsigned __int128 mails = (unsigned __int128)r->count * (uint64_t)r->limit.den;
  unsigned __int128 seconds = (mails + (uint64_t)r->limit.num - 1) / (uint64_t)r->limit.num;

  return seconds > INT32_MAX ? INT32_MAX : (int64_t)seconds;
}

int64_t rate_judge(struct rate_record *r, uint32_t n, int64_t now, int64_t interval) {
  int64_t wait = 0;

  if (now < r->start || now < r->last || (interval > 0 && now - r->last >= interval)) {
    r->count = 0;
    r->start = now;
  }
  if (r->limit.num == 0) return RATE_STOP_SECONDS;
  if (r->limit.num > 0) wait = seconds_for(r) - (now - r->start);
  if (wait > 0) return wait;
  r->count = r->count > INT64_MAX - (uint64_t)n ? INT64_MAX : r->count + n;
  r->last = now;
  return 0;
}

void rate_current(char buf[RATE_NUMBER], const struct rate_record *r, int64_t now) {
  uint64_t elapsed = now > r->start ? (uint64_t)(now - r->start) : 1;
  uint64_t whole = r->count / elapsed;
  uint64_t rest = (uint64_t)((unsigned __int128)(r->count % elapsed) * 1000 / elapsed);
  size_t n = fmt_u64(buf, whole);

  buf[n++] = '.';
  n += fmt_u64_pad(buf + n, rest, 3);
  buf[n] = 0;
}
