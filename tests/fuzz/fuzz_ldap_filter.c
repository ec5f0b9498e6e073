/* A login name in a filter of LDAP: it adds no parenthesis, star or other sign that means something. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/ldap_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  stralloc login = STRALLOC_INIT, out = STRALLOC_INIT;
  size_t special = 0;

  if (!stralloc_copyb(&login, (const char *)data, size)) abort();
  if (!ldap_filter("(a=%u)(b=%h)(c=%e)", login.s, "d", &out)) abort();
  for (size_t i = 0; i < out.len; ++i) special += !out.s[i] || strchr("()*=&|!<>~", out.s[i]) != 0;
  if (special != 9) abort();
  stralloc_free(&login);
  stralloc_free(&out);
  return 0;
}
