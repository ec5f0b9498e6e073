/* maildirsize files, which belong to users, and quotas: what is accepted can be written
 * and read back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/maildirsize.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct quota q, again;
  struct usage u;
  size_t lines;
  stralloc text = STRALLOC_INIT;

  if (maildirsize_parse((const char *)data, size, &q, &u, &lines)) require(u.bytes >= 0 && u.count >= 0 && lines);
  if (quota_parse((const char *)data, size, &q)) {
    if (!quota_fmt(&text, &q)) abort();
    require(quota_parse(text.s, text.len, &again) && again.bytes == q.bytes && again.count == q.count);
  }
  stralloc_free(&text);
  return 0;
}
