/* Connections handed over, and numbers handed back: what is taken is well-formed. */
#include "net/resident.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct env env = {0};
  uint64_t number, first = 0;
  size_t pos = 0;
  int got = 0, numbers = 0;

  if (resident_parse(s, size, &number, &env) == 1)
    for (size_t i = 0; i < env.vars.len; ++i) {
      const stralloc *v = &env.vars.item[i];

      require(v->len && strlen(v->s) == v->len && strchr(v->s, '=') > v->s);
    }
  env_free(&env);
  while (pos < size && (got = resident_next_over(s, size, &pos, &number)) == 1)
    if (!numbers++) first = number;
  require(pos <= size && (got != 1 || pos == size) && (numbers || !first));
  return 0;
}
