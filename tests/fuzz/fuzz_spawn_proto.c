/* Streams of commands and of reports, whole and byte by byte: the same records; formatted
 * and taken again they are still the same. */
#include "queue/spawn_proto.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

/* Takes all there is into out, formatted: the last answer. */
static int commands(struct spawn_reader *r, stralloc *out) {
  struct spawn_command c;
  int got;

  while ((got = spawn_command_take(r, &c)) == 1) require(spawn_command_format(out, &c));
  return got;
}

static int reports(struct spawn_reader *r, stralloc *out) {
  struct spawn_report rep;
  int got;

  while ((got = spawn_report_take(r, &rep)) == 1)
    require(spawn_report_format(out, rep.delivery, rep.result ? rep.result : 'Z', rep.text, strlen(rep.text)));
  return got;
}

typedef int (*take_all)(struct spawn_reader *r, stralloc *out);

static int same(const stralloc *a, const stralloc *b) {
  return a->len == b->len && (!a->len || !memcmp(a->s, b->s, a->len));
}

static void both_ways(const char *s, size_t n, take_all take) {
  struct spawn_reader whole = {0}, bytes = {0}, again = {0};
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT, c = STRALLOC_INIT;
  int v, w = 0;

  require(spawn_reader_add(&whole, s, n));
  v = take(&whole, &a);
  for (size_t i = 0; i < n && w == 0; ++i) {
    require(spawn_reader_add(&bytes, s + i, 1));
    w = take(&bytes, &b);
  }
  require(v == w && same(&a, &b));
  require(spawn_reader_add(&again, stralloc_cstr(&a), a.len));
  require(take(&again, &c) == 0 && same(&a, &c));
  spawn_reader_free(&whole);
  spawn_reader_free(&bytes);
  spawn_reader_free(&again);
  stralloc_free(&a);
  stralloc_free(&b);
  stralloc_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  both_ways((const char *)data, size, commands);
  both_ways((const char *)data, size, reports);
  return 0;
}
