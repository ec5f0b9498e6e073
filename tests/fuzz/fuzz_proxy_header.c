/* PROXY headers: what is complete was incomplete before its last byte, and with one more it is bad. */
#include "net/proxy_header.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct proxy_header h, again;
  size_t n = 0, want;
  enum proxy_verdict v;

  while ((v = proxy_header_parse(s, n, &h, &want)) == PROXY_MORE) {
    if (!want || want > PROXY_HEADER_MAX) abort();
    n += want;
    if (n > size) return 0;
  }
  if (n > PROXY_HEADER_MAX) abort();
  if (v == PROXY_BAD) return 0;
  for (size_t i = 0; i < n; ++i)
    if (proxy_header_parse(s, i, &again, &want) != PROXY_MORE) abort();
  if (n < size && proxy_header_parse(s, n + 1, &again, &want) != PROXY_BAD) abort();
  return 0;
}
