/* The file of messages that were delivered of late, as a user may have left it. */
#include <stdint.h>
#include <stdlib.h>

#include "user/maildup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data, *digest;
  int64_t when;

  for (size_t at = 0, before = 0; maildup_line(s, size, &at, &when, &digest); before = at)
    if (at <= before || at > size || digest < s + before || digest + MAILDUP_DIGEST > s + at) abort();
  return 0;
}
