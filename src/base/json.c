/* json: see json.h. */
#include "base/json.h"

int json_string(stralloc *out, const char *s, size_t n) {
  if (!stralloc_append(out, '"')) return 0;
  for (size_t i = 0; i < n; ++i) {
    unsigned char c = (unsigned char)s[i];
    char hex[6] = {'\\', 'u', '0', '0', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};

    if (c == '"' || c == '\\' ? !stralloc_append(out, '\\') || !stralloc_append(out, s[i])
        : c < 32 || c > 126  ? !stralloc_catb(out, hex, 6)
                             : !stralloc_append(out, s[i]))
      return 0;
  }
  return stralloc_append(out, '"');
}
