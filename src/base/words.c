/* words: see words.h. */
#include "base/words.h"

#include <string.h>

size_t words_split(char *s, char **words, size_t max) {
  size_t n = 0;

  for (s += strspn(s, " \t"); *s; s += strspn(s, " \t")) {
    size_t len = strcspn(s, " \t");

    if (n == max) return 0;
    words[n++] = s;
    s += len;
    if (*s) *s++ = 0;
  }
  words[n] = 0;
  return n;
}
