/* Chunks in pieces whose sizes the input says, and byte by byte: the same flaws, hops and output, which
 * is the input with CR LF made LF. */
#include "mail/data_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/stralloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sink(void *ctx, const char *s, size_t n) {
  if (!stralloc_catb(ctx, s, n)) abort();
}

static void expect(const char *s, size_t n, stralloc *out, unsigned *flaws) {
  for (size_t i = 0; i < n; ++i) {
    int crlf = s[i] == '\r' && i + 1 < n && s[i + 1] == '\n';

    if (s[i] == '\n') *flaws |= DATA_BARE_LF;
    if (s[i] == '\r' && !crlf) *flaws |= DATA_BARE_CR;
    if (!s[i]) *flaws |= DATA_NUL;
    if (!stralloc_append(out, crlf ? '\n' : s[i])) abort();
    i += (size_t)crlf;
  }
}

static int same(const stralloc *a, const stralloc *b) {
  return a->len == b->len && (!a->len || !memcmp(a->s, b->s, a->len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct data_reader pieces = {0}, bytes = {0};
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT, want = STRALLOC_INIT;
  const char *s = (const char *)data;
  unsigned flaws = 0;

  for (size_t pos = 0, n; pos < size; pos += n) {
    n = 1 + data[pos] % 7;
    if (n > size - pos) n = size - pos;
    data_feed_chunk(&pieces, s + pos, n, sink, &a);
  }
  data_end_chunks(&pieces, sink, &a);
  for (size_t pos = 0; pos < size; ++pos) data_feed_chunk(&bytes, s + pos, 1, sink, &b);
  data_end_chunks(&bytes, sink, &b);
  expect(s, size, &want, &flaws);
  if (pieces.flaws != bytes.flaws || pieces.hops != bytes.hops || !same(&a, &b)) abort();
  if (pieces.flaws != flaws || !same(&a, &want) || pieces.bytes != a.len) abort();
  stralloc_free(&a);
  stralloc_free(&b);
  stralloc_free(&want);
  return 0;
}
