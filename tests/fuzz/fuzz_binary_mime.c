/* A binary message made lines: the same whole and byte by byte; what has come out has nothing left to encode; what nowhere
 * says binary comes out as it went in; and no message becomes a much longer one. */
#include "mail/binary_mime.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static void sink(void *ctx, const char *s, size_t n) {
  require(stralloc_catb(ctx, s, n));
}

static unsigned run(const char *s, size_t n, size_t step, stralloc *out) {
  struct binary_mime b = {0};
  unsigned encoded;

  for (size_t at = 0; at < n; at += step) binary_mime_feed(&b, s + at, n - at < step ? n - at : step, sink, out);
  binary_mime_end(&b, sink, out);
  require(!b.failed);
  encoded = b.encoded;
  binary_mime_free(&b);
  return encoded;
}

static int same(const stralloc *a, const char *s, size_t n) {
  return a->len == n && (!n || !memcmp(a->s, s, n));
}

static int says(const char *s, size_t n, const char *word) {
  for (size_t i = 0; i < n; ++i)
    if (bytes_casestarts(s + i, n - i, word)) return 1;
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  stralloc whole = STRALLOC_INIT, pieces = STRALLOC_INIT, again = STRALLOC_INIT;
  const char *s = (const char *)data;
  unsigned encoded = run(s, size, size ? size : 1, &whole);

  require(run(s, size, 1, &pieces) == encoded);
  require(same(&pieces, stralloc_cstr(&whole), whole.len));
  require(run(stralloc_cstr(&whole), whole.len, 7, &again) == 0);
  require(whole.len <= 2 * size + 2);
  if (!says(s, size, "binary") && !says(s, size, "(")) require(!encoded && same(&whole, s, size));
  stralloc_free(&whole);
  stralloc_free(&pieces);
  stralloc_free(&again);
  return 0;
}
