/* ldap_filter: see ldap_filter.h. */
#include "user/ldap_filter.h"

#include <string.h>

/* Letters, digits and what is harmless in a filter stays readable; anything else is escaped. */
static int is_plain(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("@.-_+", c));
}

static int put(stralloc *out, const char *s, size_t n) {
  static const char hex[] = "0123456789abcdef";

  for (size_t i = 0; i < n; ++i) {
    unsigned char c = (unsigned char)s[i];
    const char escaped[] = {'\\', hex[c >> 4], hex[c & 15]};

    if (!(is_plain(c) ? stralloc_append(out, (char)c) : stralloc_catb(out, escaped, sizeof escaped))) return 0;
  }
  return 1;
}

int ldap_filter(const char *pattern, const char *login, const char *domain, stralloc *out) {
  const char *at = strrchr(login, '@');
  size_t n = at ? (size_t)(at - login) : strlen(login);
  const char *host = at ? at + 1 : domain;

  stralloc_cut(out, 0);
  for (; *pattern; ++pattern) {
    int ok = 0;

    if (*pattern != '%') {
      ok = stralloc_append(out, *pattern);
    } else {
      switch (*++pattern) {
        case 'u': ok = put(out, login, n); break;
        case 'h': ok = put(out, host, strlen(host)); break;
        case 'e': ok = put(out, login, n) && (!*host || (stralloc_append(out, '@') && put(out, host, strlen(host)))); break;
        case '%': ok = stralloc_append(out, '%'); break;
        default: break;
      }
    }
    if (!ok) return 0;
  }
  return 1;
}
