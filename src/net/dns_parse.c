/* dns_parse: DNS messages (RFC 1035 4.1, RFC 6698 2.1) read with every offset
 * checked.  Names are taken only when made of printable characters other than the
 * dot and the backslash inside a label: nothing we look up needs more, and none of
 * our log lines or headers can be upset by what comes out. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "net/dns.h"

#define HEADER 12
#define NAME_MAX_TEXT 255
#define CHAIN_MAX 8
#define RECORDS_MAX 512
#define POINTERS_MAX 64

#define TYPE_CNAME 5
#define CLASS_IN 1
#define RCODE_OK 0
#define RCODE_NXDOMAIN 3

struct message {
  const unsigned char *m;
  size_t n;
};

/* One record as it lies in the message. */
struct raw {
  size_t owner; /* offset of its name */
  unsigned type, class;
  uint32_t ttl;
  size_t data, len;
};

static unsigned u16(const struct message *g, size_t at) {
  return (unsigned)g->m[at] << 8 | g->m[at + 1];
}

/* Text of the name at *at into out[NAME_MAX_TEXT + 1], lower case, no final dot;
 * *at moves behind it.  1; 0 if it is damaged; -1 if it is whole, but not one we
 * take. */
static int get_name(const struct message *g, size_t *at, char *out) {
  size_t pos = *at, len = 0;
  int jumps = 0, fine = 1;

  for (;;) {
    unsigned label;

    if (pos >= g->n) return 0;
    label = g->m[pos++];
    if (label >= 0xc0) {
      if (pos >= g->n || ++jumps > POINTERS_MAX) return 0;
      label = (label & 0x3f) << 8 | g->m[pos++];
      if (jumps == 1) *at = pos;
      pos = label;
      continue;
    }
    if (label > 63 || label > g->n - pos) return 0;
    if (!label) break;
    if (len + label + 1 > NAME_MAX_TEXT) return 0;
    if (len) out[len++] = '.';
    for (; label; --label, ++pos) {
      char c = (char)g->m[pos];

      if (c <= ' ' || c > 126 || c == '.' || c == '\\') fine = 0;
      out[len++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
  }
  if (!jumps) *at = pos;
  out[len] = 0;
  return fine ? 1 : -1;
}

/* The record at *at; *at moves behind it.  1, or 0 if it is damaged. */
static int get_raw(const struct message *g, size_t *at, struct raw *r) {
  char name[NAME_MAX_TEXT + 1];

  r->owner = *at;
  if (!get_name(g, at, name)) return 0;
  if (g->n - *at < 10) return 0;
  r->type = u16(g, *at);
  r->class = u16(g, *at + 2);
  r->ttl = (uint32_t)u16(g, *at + 4) << 16 | u16(g, *at + 6);
  r->len = u16(g, *at + 8);
  r->data = *at + 10;
  if (r->len > g->n - r->data) return 0;
  *at = r->data + r->len;
  return 1;
}

/* Offset of the answer section: 1, or 0. */
static int skip_questions(const struct message *g, size_t *at) {
  char name[NAME_MAX_TEXT + 1];

  *at = HEADER;
  for (unsigned q = u16(g, 4); q; --q) {
    if (!get_name(g, at, name)) return 0;
    if (g->n - *at < 4) return 0;
    *at += 4;
  }
  return 1;
}

static int owned_by(const struct message *g, const struct raw *r, const char *name) {
  char owner[NAME_MAX_TEXT + 1];
  size_t at = r->owner;

  return r->class == CLASS_IN && get_name(g, &at, owner) == 1 && !strcmp(owner, name);
}

static struct dns_record *new_record(struct dns_answer *answer) {
  struct dns_record *r;

  if (answer->len == answer->a) {
    size_t a = answer->a ? answer->a * 2 : 4;

    r = reallocarray(answer->record, a, sizeof *r);
    if (!r) return 0;
    memset(r + answer->a, 0, (a - answer->a) * sizeof *r);
    answer->record = r;
    answer->a = a;
  }
  r = &answer->record[answer->len];
  stralloc_cut(&r->data, 0);
  return r;
}

static int take_address(const struct message *g, const struct raw *raw, struct dns_record *r) {
  size_t want = raw->type == DNS_A ? 4 : 16;

  if (raw->len != want) return 0;
  memset(&r->ip, 0, sizeof r->ip);
  r->ip.family = raw->type == DNS_A ? AF_INET : AF_INET6;
  memcpy(r->ip.b, g->m + raw->data, want);
  return 1;
}

/* A name that fills the record's data from at on. */
static int take_name(const struct message *g, const struct raw *raw, size_t at, struct dns_record *r) {
  char name[NAME_MAX_TEXT + 1];

  if (at > raw->data + raw->len) return 0;
  if (get_name(g, &at, name) != 1 || at != raw->data + raw->len) return 0;
  return stralloc_copys(&r->data, name) ? 1 : -1;
}

static int take_text(const struct message *g, const struct raw *raw, struct dns_record *r) {
  size_t at = raw->data, end = raw->data + raw->len;

  if (!stralloc_copylit(&r->data, "")) return -1;
  while (at < end) {
    size_t n = g->m[at++];

    if (n > end - at) return 0;
    if (!stralloc_catb(&r->data, (const char *)g->m + at, n)) return -1;
    at += n;
  }
  return 1;
}

/* Fills r: 1; 0 if the data is damaged; -1 when memory ran out. */
static int take(const struct message *g, const struct raw *raw, struct dns_record *r) {
  r->ttl = raw->ttl;
  switch (raw->type) {
    case DNS_A:
    case DNS_AAAA: return take_address(g, raw, r);
    case DNS_CNAME:
    case DNS_PTR: return take_name(g, raw, raw->data, r);
    case DNS_MX:
      if (raw->len < 3) return 0;
      r->preference = (uint16_t)u16(g, raw->data);
      return take_name(g, raw, raw->data + 2, r);
    case DNS_TXT: return take_text(g, raw, r);
    case DNS_TLSA:
      if (raw->len < 4) return 0;
      r->usage = g->m[raw->data];
      r->selector = g->m[raw->data + 1];
      r->matching = g->m[raw->data + 2];
      return stralloc_copyb(&r->data, (const char *)g->m + raw->data + 3, raw->len - 3) ? 1 : -1;
    default: return 0;
  }
}

/* Where the chain of CNAMEs that starts at name ends: 1, 0 if it is damaged or too
 * long.  The records may stand in any order. */
static int follow(const struct message *g, size_t answers, unsigned count, enum dns_type type, char *name) {
  for (int links = 0; type != DNS_CNAME; ++links) {
    char next[NAME_MAX_TEXT + 1];
    size_t at = answers;
    int found = 0;

    for (unsigned i = 0; i < count && !found; ++i) {
      struct raw raw;
      size_t target;

      if (!get_raw(g, &at, &raw)) return 0;
      if (raw.type != TYPE_CNAME || !owned_by(g, &raw, name)) continue;
      target = raw.data;
      if (get_name(g, &target, next) != 1 || target != raw.data + raw.len) return 0;
      found = 1;
    }
    if (!found) break;
    if (links == CHAIN_MAX) return 0;
    memcpy(name, next, sizeof next);
  }
  return 1;
}

static int by_preference(const void *a, const void *b) {
  const struct dns_record *x = a, *y = b;

  return (x->preference > y->preference) - (x->preference < y->preference);
}

static enum dns_outcome collect(const struct message *g, size_t at, unsigned count, enum dns_type type,
                                const char *name, struct dns_answer *answer) {
  for (unsigned i = 0; i < count; ++i) {
    struct raw raw;
    struct dns_record *r;
    int took;

    if (!get_raw(g, &at, &raw)) return DNS_TEMPFAIL;
    if (raw.type != (unsigned)type || !owned_by(g, &raw, name)) continue;
    if (answer->len == RECORDS_MAX) break;
    r = new_record(answer);
    took = r ? take(g, &raw, r) : -1;
    if (took == -1) return DNS_TEMPFAIL;
    answer->len += (size_t)took;
  }
  if (type == DNS_MX && answer->len)
    qsort(answer->record, answer->len, sizeof *answer->record, by_preference);
  return answer->len ? DNS_FOUND : DNS_NODATA;
}

enum dns_outcome dns_parse(const unsigned char *msg, size_t n, enum dns_type type, const char *name,
                           struct dns_answer *answer) {
  struct message g = {msg, n};
  char at_name[NAME_MAX_TEXT + 1];
  size_t len = strlen(name), answers;
  unsigned count, rcode;

  answer->len = 0;
  answer->authenticated = 0;
  if (len && name[len - 1] == '.') --len;
  if (n < HEADER || len > NAME_MAX_TEXT) return DNS_TEMPFAIL;
  memcpy(at_name, name, len);
  at_name[len] = 0;
  bytes_lower(at_name, len);
  rcode = msg[3] & 15;
  /* An answer, not a question, and whole. */
  if (!(msg[2] & 0x80) || msg[2] & 0x02 || (rcode != RCODE_OK && rcode != RCODE_NXDOMAIN)) return DNS_TEMPFAIL;
  answer->authenticated = (msg[3] & 0x20) != 0;
  count = u16(&g, 6);
  if (!skip_questions(&g, &answers) || !follow(&g, answers, count, type, at_name)) return DNS_TEMPFAIL;
  if (!stralloc_copys(&answer->name, at_name)) return DNS_TEMPFAIL;
  if (rcode == RCODE_NXDOMAIN) return DNS_NXDOMAIN;
  return collect(&g, answers, count, type, at_name, answer);
}
