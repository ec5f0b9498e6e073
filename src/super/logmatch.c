/* logmatch: see logmatch.h. */
#include "super/logmatch.h"

int logmatch(const char *pattern, const char *s, size_t n) {
  for (; *pattern; ++pattern) {
    if (*pattern != '*') {
      if (!n || *s != *pattern) return 0;
      ++s;
      --n;
      continue;
    }
    if (!pattern[1]) return 1;
    while (n && *s != pattern[1]) {
      ++s;
      --n;
    }
    if (!n) return 0;
  }
  return n == 0;
}
