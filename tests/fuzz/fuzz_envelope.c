/* The three forms of an envelope.  What parses comes out of the formatter as it went in;
 * the wire form fed whole and byte by byte gives the same. */
#include "queue/envelope.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static int same_text(const stralloc *a, const stralloc *b) {
  return a->len == b->len && (!a->len || !memcmp(a->s, b->s, a->len));
}

static int same(const struct envelope *a, const struct envelope *b) {
  if (a->uid != b->uid || a->qp != b->qp || a->birth != b->birth || a->size != b->size || a->checksum != b->checksum) return 0;
  if (!same_text(&a->sender, &b->sender) || !same_text(&a->extra, &b->extra) || !same_text(&a->captured, &b->captured)) return 0;
  if (a->recipients.len != b->recipients.len || !same_text(&a->dsn, &b->dsn) || !same_text(&a->messid, &b->messid))
    return 0;
  for (size_t i = 0; i < a->recipients.len; ++i) {
    size_t n, m;
    const char *s = envelope_notify(a, i, &n);
    const char *t = envelope_notify(b, i, &m);

    if (!same_text(&a->recipients.item[i], &b->recipients.item[i]) || n != m || memcmp(s, t, n)) return 0;
  }
  return 1;
}

/* env as a file and as a link, and back. */
static void round_trip(const struct envelope *env) {
  struct envelope again = {0};
  stralloc out = STRALLOC_INIT;
  int fits;

  require(envelope_format(env, &out));
  require(envelope_parse(&again, out.s, out.len) == ENVELOPE_OK && same(env, &again));
  /* torn or damaged, it is not taken for whole */
  require(envelope_parse(&again, out.s, out.len - 1) == ENVELOPE_INCOMPLETE);
  out.s[out.len / 2] ^= 1;
  require(envelope_parse(&again, out.s, out.len) != ENVELOPE_OK);
  require(envelope_link_format(env, &out, &fits) && fits == (out.len <= ENVELOPE_LINK_MAX));
  require(!out.len || !memchr(out.s, 0, out.len));
  require(envelope_link_parse(&again, out.s, out.len) == ENVELOPE_OK && same(env, &again));
  envelope_free(&again);
  stralloc_free(&out);
}

static void wire(const char *s, size_t n) {
  struct envelope_reader whole = {0}, bytes = {0};
  struct envelope a = {0}, b = {0};
  size_t used, pos = 0;
  enum envelope_wire v = envelope_read(&whole, &a, s, n, &used), w = WIRE_MORE;

  require(used <= n);
  while (pos < n && w == WIRE_MORE) {
    size_t one;

    w = envelope_read(&bytes, &b, s + pos, 1, &one);
    pos += one;
  }
  require(v == w);
  if (v == WIRE_END) require(pos == used && same(&a, &b));
  if (v == WIRE_END) round_trip(&a);
  envelope_reader_free(&whole);
  envelope_reader_free(&bytes);
  envelope_free(&a);
  envelope_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct envelope env = {0};

  wire(s, size);
  if (envelope_parse(&env, s, size) == ENVELOPE_OK) round_trip(&env);
  if (envelope_link_parse(&env, s, size) == ENVELOPE_OK) round_trip(&env);
  envelope_free(&env);
  return 0;
}
