/* Arguments of XCLIENT: only what is allowed comes out, and nothing that could end a line. */
#include "mail/client_attributes.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  unsigned allowed = size ? data[0] * 7u & (CLIENT_BIT(CLIENT_ATTRIBUTES) - 1) : 0;
  struct client_attributes a = {0};

  if (client_attributes_parse((const char *)data, size, allowed, &a) == 1 && !a.given) abort();
  if (a.given & ~allowed) abort();
  for (size_t i = 0; i < CLIENT_ATTRIBUTES; ++i)
    for (size_t j = 0; j < a.value[i].len; ++j)
      if (a.value[i].s[j] < 32 || a.value[i].s[j] > 126) abort();
  client_attributes_free(&a);
  return 0;
}
