/* The reply of an ident server: what is taken from it is short and printable. */
#include <stdint.h>
#include <stdlib.h>

#include "super/ident.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  stralloc user = STRALLOC_INIT;

  if (ident_parse((const char *)data, size, 6113, 23, &user) == 1) {
    if (!user.len || user.len > 255) abort();
    for (size_t i = 0; i < user.len; ++i)
      if (user.s[i] < 33 || user.s[i] > 126) abort();
  }
  stralloc_free(&user);
  return 0;
}
