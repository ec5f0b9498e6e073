/* A header read field by field, with buffers of any size: nothing is lost, nothing added,
 * and each field has a name. */
#include "mail/header.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_MAX_BYTES 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

struct source {
  const char *s;
  size_t n, at_once;
};

static ssize_t give(void *ctx, char *buf, size_t len) {
  struct source *src = ctx;
  size_t n = src->n < len ? src->n : len;

  if (n > src->at_once) n = src->at_once;
  if (n) memcpy(buf, src->s, n);
  src->s += n;
  src->n -= n;
  return (ssize_t)n;
}

/* The fields, and behind them the line that was none; how it ended. */
static enum header_line read_all(const char *s, size_t n, size_t at_once, size_t bufsize, stralloc *out, size_t *fields) {
  struct source src = {s, n, at_once};
  struct header_reader h = {0};
  stralloc field = STRALLOC_INIT;
  char buf[64];
  substdio in;
  enum header_line r;

  substdio_init(&in, give, &src, buf, bufsize);
  for (*fields = 0; (r = header_next(&h, &in, &field, FIELD_MAX_BYTES)) == HEADER_FIELD; ++*fields) {
    size_t body = 0, name = header_name(field.s, field.len, &body);

    require(name && name < body && body <= field.len && field.len <= FIELD_MAX_BYTES);
    require(stralloc_cat(out, &field));
  }
  require(r != HEADER_NOMEM);
  if (r == HEADER_END) {
    require(stralloc_cat(out, &field));
    require(header_next(&h, &in, &field, FIELD_MAX_BYTES) == HEADER_END);
  }
  header_reader_free(&h);
  stralloc_free(&field);
  return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT;
  size_t fa, fb;
  enum header_line v = read_all(s, size, size + 1, 64, &a, &fa), w = read_all(s, size, 1, 1, &b, &fb);

  require(v == w && fa == fb && a.len == b.len && (!a.len || !memcmp(a.s, b.s, a.len)));
  require(a.len <= size && (!a.len || !memcmp(a.s, s, a.len)));
  stralloc_free(&a);
  stralloc_free(&b);
  return 0;
}
