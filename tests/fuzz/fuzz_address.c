/* Addresses of a header field: places and halves lie in the text and in order, each
 * completed address has a host, and a completed field is complete. */
#include "mail/address.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

struct seen {
  const char *s;
  size_t n, last, count;
};

static int one(void *ctx, const struct address *a) {
  struct seen *seen = ctx;

  require(a->start >= seen->last && a->start <= a->end && a->end <= seen->n);
  require(a->local >= seen->s && a->local + a->localn <= seen->s + seen->n);
  require((a->hostn == 0) == (a->host == 0));
  if (a->host) require(a->host >= seen->s && a->host + a->hostn <= seen->s + seen->n);
  seen->last = a->end;
  ++seen->count;
  return 0;
}

static void quoted(const char *s, size_t n) {
  stralloc out = STRALLOC_INIT;

  require(address_quote(s, n, &out));
  require(!out.len || (!memchr(out.s, '\n', out.len) && !memchr(out.s, 0, out.len)));
  stralloc_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct address_defaults defaults = {"host.example", "example", "plus.example"};
  const char *s = (const char *)data;
  struct seen seen = {s, size, 0, 0};
  struct strlist list = {0}, again = {0};
  stralloc out = STRALLOC_INIT, twice = STRALLOC_INIT;
  int walked = address_walk(s, size, one, &seen);
  int r = address_rewrite(s, size, &defaults, &out, &list);

  require((walked == -1) == (r == -1));
  if (r == 1) {
    require(list.len == seen.count);
    for (size_t i = 0; i < list.len; ++i) require(list.item[i].len && memchr(list.item[i].s, '@', list.item[i].len));
    /* what is complete stays as it is */
    require(address_rewrite(stralloc_cstr(&out), out.len, &defaults, &twice, &again) == 1);
    require(again.len == list.len);
    for (size_t i = 0; i < list.len; ++i)
      require(again.item[i].len == list.item[i].len && !memcmp(again.item[i].s, list.item[i].s, list.item[i].len));
  }
  quoted(s, size);
  strlist_free(&list);
  strlist_free(&again);
  stralloc_free(&out);
  stralloc_free(&twice);
  return 0;
}
