/* Addresses with and without tags: one we have signed is good and comes back as it was, any other text
 * has a verdict, and no tag is good by chance of its form. */
#include "mail/batv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const int64_t now = INT64_C(1795663440);
  const char *s = (const char *)data;
  static struct strlist keys;
  stralloc out = STRALLOC_INIT, plain = STRALLOC_INIT;
  enum batv_verdict v;

  if (!keys.len) require(strlist_add(&keys, "secret", 6));
  v = batv_check(s, size, &keys, now, 7, &plain);
  require(v != BATV_NO_MEMORY && (v != BATV_GOOD || plain.len < size));
  require(batv_sign(&out, s, size, "secret", now));
  if (out.len != size) {
    require(v == BATV_NONE && batv_check(out.s, out.len, &keys, now, 7, &plain) == BATV_GOOD);
    require(plain.len == size && !memcmp(plain.s, s, size));
  }
  stralloc_free(&out);
  stralloc_free(&plain);
  return 0;
}
