/* DATA fed whole and byte by byte: the same verdict, place, flaws and output. */
#include "mail/data_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/stralloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sink(void *ctx, const char *s, size_t n) {
  if (!stralloc_catb(ctx, s, n)) abort();
}

/* Lines that end in LF: whole, and byte by byte. */
static void lines(const char *data, size_t size) {
  struct data_reader whole = {0}, bytes = {0};
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT;

  data_feed_lines(&whole, data, size, sink, &a);
  for (size_t i = 0; i < size; ++i) data_feed_lines(&bytes, data + i, 1, sink, &b);
  if (whole.flaws != bytes.flaws || whole.hops != bytes.hops || whole.bytes != size) abort();
  if (a.len != size || b.len != size || (size && (memcmp(a.s, data, size) || memcmp(b.s, data, size)))) abort();
  stralloc_free(&a);
  stralloc_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct data_reader whole = {0}, bytes = {0};
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT;
  enum data_verdict v, w = DATA_MORE;
  size_t used, pos = 0;

  v = data_feed(&whole, (const char *)data, size, &used, sink, &a);
  while (pos < size && w == DATA_MORE) {
    size_t one;

    w = data_feed(&bytes, (const char *)data + pos, 1, &one, sink, &b);
    pos += one;
  }
  if (v != w || used != pos || whole.flaws != bytes.flaws || whole.hops != bytes.hops) abort();
  if (a.len != b.len || whole.bytes != a.len || (a.len && memcmp(a.s, b.s, a.len))) abort();
  /* a clean end is CR LF . CR LF, or . CR LF at the start */
  if (v == DATA_END && (used < 3 || memcmp(data + used - 3, ".\r\n", 3))) abort();
  if (v == DATA_END && used > 3 && !whole.flaws && (used < 5 || memcmp(data + used - 5, "\r\n", 2))) abort();
  if (v == DATA_AMBIGUOUS && !whole.flaws) abort();
  stralloc_free(&a);
  stralloc_free(&b);
  lines((const char *)data, size);
  return 0;
}
