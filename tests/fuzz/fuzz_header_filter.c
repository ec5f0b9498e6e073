/* The header filter gives the same whole and byte by byte, and without lists everything. */
#include "queue/header_filter.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static int same(const stralloc *a, const stralloc *b) {
  return a->len == b->len && (!a->len || !memcmp(a->s, b->s, a->len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct strlist names = {0};
  struct header_filter none = {0}, whole = {0}, bytes = {0};
  stralloc all = STRALLOC_INIT, a = STRALLOC_INIT, b = STRALLOC_INIT;

  require(strlist_add(&names, "subject", 7) && strlist_add(&names, "x:3", 3) && strlist_add(&names, "to", 2));
  whole.remove = whole.capture = whole.log = bytes.remove = bytes.capture = bytes.log = &names;
  require(header_filter_feed(&none, s, size, &all) && header_filter_end(&none, &all));
  require(all.len == size && (!size || !memcmp(all.s, s, size)));
  require(header_filter_feed(&whole, s, size, &a) && header_filter_end(&whole, &a));
  for (size_t i = 0; i < size; ++i) require(header_filter_feed(&bytes, s + i, 1, &b));
  require(header_filter_end(&bytes, &b));
  require(same(&a, &b) && same(&whole.captured, &bytes.captured) && same(&whole.logged, &bytes.logged));
  require(a.len <= size && whole.captured.len <= HEADER_FILTER_COPIES_MAX);
  require(!whole.captured.len || whole.captured.s[whole.captured.len - 1] == '\n');
  header_filter_free(&none);
  header_filter_free(&whole);
  header_filter_free(&bytes);
  stralloc_free(&all);
  stralloc_free(&a);
  stralloc_free(&b);
  strlist_free(&names);
  return 0;
}
