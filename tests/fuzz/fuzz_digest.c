/* What was taken apart comes out of the list as it went in. */
#include <stdlib.h>
#include <string.h>

#include "crypt/digest_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct digest_message m = {.seen = 0}, again = {.seen = 0};
  stralloc list = STRALLOC_INIT;

  if (digest_parse((const char *)data, size, &m) == 1 && digest_list(&list, &m)) {
    if (digest_parse(stralloc_cstr(&list), list.len, &again) != 1) abort();
    for (int i = 0; i < DIGEST_FIELDS; ++i)
      if (i != DIGEST_USERNAME && i != DIGEST_RESPONSE && strcmp(stralloc_cstr(&m.field[i]), stralloc_cstr(&again.field[i]))) abort();
  }
  stralloc_free(&list);
  digest_free(&m);
  digest_free(&again);
  return 0;
}
