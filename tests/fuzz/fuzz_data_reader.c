/* DATA fed whole and byte by byte: the same verdict, place, flaws and output. */
#include "mail/data_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/stralloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sink(void *ctx, const char *s, size_t n) {
  if (!stralloc_catb(ctx, s, n)) abort();
}

/* Text of known length: whole, and byte by byte. */
static void text(int crlf, const char *data, size_t size) {
  struct data_reader whole = {0}, bytes = {0};
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT;

  data_text(&whole, crlf, data, size, sink, &a);
  data_text_end(&whole, sink, &a);
  for (size_t i = 0; i < size; ++i) data_text(&bytes, crlf, data + i, 1, sink, &b);
  data_text_end(&bytes, sink, &b);
  if (whole.flaws != bytes.flaws || whole.hops != bytes.hops || whole.bytes != a.len) abort();
  if (a.len != b.len || (a.len && memcmp(a.s, b.s, a.len)) || (!crlf && a.len != size)) abort();
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
  text(0, (const char *)data, size);
  text(1, (const char *)data, size);
  return 0;
}
