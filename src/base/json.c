/* json: see json.h. */
#include "base/json.h"

#include "base/utf8.h"

#define FIRST_OF_PAIRS 0x10000u /* characters from here on are two halves */

static int escape(stralloc *out, uint32_t half) {
  static const char digits[] = "0123456789abcdef";
  const char hex[6] = {'\\', 'u', digits[half >> 12 & 15], digits[half >> 8 & 15], digits[half >> 4 & 15], digits[half & 15]};

  return stralloc_catb(out, hex, sizeof hex);
}

static int put(stralloc *out, uint32_t c) {
  if (c == '"' || c == '\\') return stralloc_append(out, '\\') && stralloc_append(out, (char)c);
  if (c >= 32 && c <= 126) return stralloc_append(out, (char)c);
  if (c < FIRST_OF_PAIRS) return escape(out, c);
  c -= FIRST_OF_PAIRS;
  return escape(out, 0xd800u | c >> 10) && escape(out, 0xdc00u | (c & 0x3ffu));
}

int json_string(stralloc *out, const char *s, size_t n) {
  if (!stralloc_append(out, '"')) return 0;
  for (size_t i = 0, used; i < n; i += used) {
    uint32_t c = (unsigned char)s[i];

    used = utf8_character(s + i, n - i, &c);
    if (!used) used = 1;
    if (!put(out, c)) return 0;
  }
  return stralloc_append(out, '"');
}
