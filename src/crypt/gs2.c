/* gs2: see gs2.h. */
#include "crypt/gs2.h"

#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"

/* Letters, digits, dot and hyphen (RFC 5801: cb-name). */
static int type_ok(const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '.' ||
          s[i] == '-'))
      return 0;
  return n > 0;
}

int gs2_parse(const char *s, size_t n, struct gs2 *g) {
  size_t flag = bytes_chr(s, n, ','), second;

  memset(g, 0, sizeof *g);
  if (flag >= n) return 0;
  if (bytes_equal(s, flag, "n", 1)) g->flag = GS2_UNBOUND;
  else if (bytes_equal(s, flag, "y", 1)) g->flag = GS2_UNSEEN;
  else if (flag > 2 && !memcmp(s, "p=", 2) && type_ok(s + 2, flag - 2)) {
    g->flag = GS2_BOUND;
    g->binding = s + 2;
    g->binding_n = flag - 2;
  } else {
    return 0;
  }
  s += flag + 1;
  n -= flag + 1;
  second = bytes_chr(s, n, ',');
  if (second >= n) return 0;
  g->len = flag + 1 + second + 1;
  if (!second) return 1;
  if (second < 3 || memcmp(s, "a=", 2)) return 0;
  g->authzid = s + 2;
  g->authzid_n = second - 2;
  return 1;
}

/* Text in UTF-8 without control characters: what whoever knows the names may prepare. */
static int is_text(const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if ((unsigned char)s[i] < ' ' || s[i] == 127) return 0;
  return n && utf8_valid(s, n);
}

int gs2_name(stralloc *out, const char *s, size_t n) {
  stralloc_cut(out, 0);
  for (size_t i = 0; i < n; ++i) {
    char c = s[i];

    if (c == ',') return 0;
    if (c == '=') {
      if (n - i < 3) return 0;
      if (!memcmp(s + i, "=2C", 3)) c = ',';
      else if (memcmp(s + i, "=3D", 3)) return 0;
      i += 2;
    }
    if (!stralloc_append(out, c)) return -1;
  }
  return is_text(stralloc_cstr(out), out->len);
}
