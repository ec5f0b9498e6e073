/* saslprep: see saslprep.h. */
#include "crypt/saslprep.h"

int saslprep_ok(const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (s[i] < ' ' || s[i] > '~') return 0;
  return n > 0;
}
