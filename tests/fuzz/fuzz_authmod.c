/* Lines of descriptor 3 of a module: each field lies inside, and what came is as it was. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/authmod.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct authmod m;

  if (size > AUTHMOD_INPUT) size = AUTHMOD_INPUT;
  if (size) memcpy(m.raw, data, size);
  m.len = size;
  if (authmod_parse(&m)) return 0;
  for (size_t i = 0; i < m.fields; ++i)
    if (m.field[i] < m.text || m.field[i] + strlen(m.field[i]) > m.text + m.len)
      abort();
  (void)authmod_has_password(&m);
  if (size && memcmp(m.raw, data, size) != 0) abort();
  return 0;
}
