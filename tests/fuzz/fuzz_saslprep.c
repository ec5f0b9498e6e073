/* What is prepared is UTF-8 without control characters, and its own prepared form. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "crypt/saslprep_unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void prepare(const char *text, enum saslprep_use use) {
  stralloc once = STRALLOC_INIT, twice = STRALLOC_INIT;

  if (saslprep_unicode(&once, text, use) == 1) {
    if (!once.len || !utf8_valid(once.s, once.len)) abort();
    for (size_t i = 0; i < once.len; ++i)
      if ((unsigned char)once.s[i] < ' ' || once.s[i] == 127) abort();
    if (once.len <= SASLPREP_MAX && (saslprep_unicode(&twice, once.s, use) != 1 || !stralloc_equals(&twice, once.s))) abort();
  }
  stralloc_wipe(&once);
  stralloc_wipe(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);

  if (!text) return 0;
  if (size) memcpy(text, data, size);
  text[size] = 0;
  prepare(text, SASLPREP_STORED);
  prepare(text, SASLPREP_QUERY);
  free(text);
  return 0;
}
