/* A line of rules: whatever compiles gives records that can be walked to their end; and
 * the same bytes as a record's data and as a client's description. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "super/tcprules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const char *data, size_t n, int sound) {
  const char *var;
  size_t pos = 0;
  int what;

  while ((what = tcprules_next(data, n, &pos, &var)) > 0) {
    if (pos > n) abort();
    if (what == '+' && (!strchr(var, '=') || var + strlen(var) >= data + n)) abort();
  }
  if (sound && what != 0) abort();
}

static int check(void *ctx, const char *key, size_t klen, const char *data, size_t dlen) {
  size_t *records = ctx;

  if (++*records > 256) abort();
  if (klen && memchr(key, 0, klen)) abort();
  walk(data, dlen, 1);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t records = 0;
  const struct tcprules_sink sink = {check, &records};
  struct strerr e;

  if (tcprules_compile((const char *)data, size, &sink, &e) == -1 && !e.permanent) abort();
  walk((const char *)data, size, 0);
  return 0;
}
