/* Netstrings: what is found lies inside, and the two readers agree. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/netstring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
  const char *s;
  size_t n;
};

static ssize_t give(void *ctx, char *buf, size_t len) {
  struct source *from = ctx;

  (void)len;
  if (!from->n) return 0;
  *buf = *from->s++;
  from->n--;
  return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct source from = {s, size};
  const char *content = s;
  stralloc out = STRALLOC_INIT;
  uint64_t left = 4096;
  size_t len;
  char buf[64];
  substdio in;
  long n = netstring_parse(s, size, 4096, &content, &len);
  int r;

  substdio_init(&in, give, &from, buf, sizeof buf);
  r = netstring_get(&in, &left, 4096, &out);
  if (n > (long)size || n > 4096 || (n > 0) != (r == 1)) abort();
  if (n > 0 && (content < s || content + len >= s + size || out.len != len || (len && memcmp(out.s, content, len)))) abort();
  stralloc_free(&out);
  return 0;
}
