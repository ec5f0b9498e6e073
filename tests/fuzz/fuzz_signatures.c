/* signatures: any text is compiled or refused; what was compiled matches itself and nothing shorter. */
#include "mail/signatures.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct strlist lines = {0};
  struct signatures g;
  struct strerr e;

  while (size) {
    size_t n = bytes_chr(s, size, '\n');

    if (!strlist_add(&lines, s, n)) abort();
    s += n < size ? n + 1 : n;
    size -= n < size ? n + 1 : n;
  }
  if (signatures_compile(&g, "x", &lines, &e) == 0)
    for (size_t i = 0; i < g.len; ++i) {
      const stralloc *t = &g.one[i].text;
      size_t found = signatures_match(&g, t->s, t->len);

      if (!found || found > i + 1 || t->len < SIGNATURE_MIN || signatures_match(&g, t->s, SIGNATURE_MIN - 1)) abort();
    }
  signatures_free(&g);
  strlist_free(&lines);
  return 0;
}
