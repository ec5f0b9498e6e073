/* Lines from a client of qmail-send, or from send/orders, whole and byte by byte; a request
 * that was taken comes back the same from its own line. */
#include "send/control_proto.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static void one_request(const char *s, size_t n, stralloc *out) {
  struct control_request r = {0}, again = {0};
  stralloc line = STRALLOC_INIT;

  if (control_request_parse(&r, s, n) == CONTROL_OK) {
    require(control_request_format(&line, &r));
    require(control_request_parse(&again, line.s, line.len - 1) == CONTROL_OK);
    require(again.command == r.command && again.by == r.by && again.id == r.id);
    require(again.text.len == r.text.len && (!r.text.len || !memcmp(again.text.s, r.text.s, r.text.len)));
    require(stralloc_cat(out, &line));
  }
  stralloc_free(&line);
  control_request_free(&r);
  control_request_free(&again);
}

static enum control_take take_all(struct control_reader *reader, stralloc *out) {
  struct control_record record = {0};
  enum control_take take;
  const char *s;
  size_t n;

  while ((take = control_take_line(reader, &s, &n)) == CONTROL_LINE) {
    one_request(s, n, out);
    (void)!control_record_parse(&record, s, n);
  }
  control_record_free(&record);
  return take;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct control_reader whole = {0}, bytes = {0};
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT;
  enum control_take v, w = CONTROL_MORE;

  require(control_reader_add(&whole, s, size));
  v = take_all(&whole, &a);
  for (size_t i = 0; i < size && w == CONTROL_MORE; ++i) {
    require(control_reader_add(&bytes, s + i, 1));
    w = take_all(&bytes, &b);
  }
  require(v == w && a.len == b.len && (!a.len || !memcmp(a.s, b.s, a.len)));
  control_reader_free(&whole);
  control_reader_free(&bytes);
  stralloc_free(&a);
  stralloc_free(&b);
  return 0;
}
