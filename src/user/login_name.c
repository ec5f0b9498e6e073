/* login_name: see login_name.h. */
#include "user/login_name.h"

#include <dlfcn.h>
#include <idn2.h>
#include <string.h>

#include "base/bytes.h"
#include "crypt/saslprep_unicode.h"

#define LIBRARY "libidn2.so.0"

static struct {
  int tried;
  int (*to_ascii)(const char *input, char **output, int flags); /* null: not there */
  void (*free)(void *);
} idn;

static void load(void) {
  void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
  void *to_ascii = library ? dlsym(library, "idn2_to_ascii_8z") : 0, *release = library ? dlsym(library, "idn2_free") : 0;

  idn.tried = 1;
  if (!to_ascii || !release) return;
  memcpy(&idn.to_ascii, &to_ascii, sizeof to_ascii);
  memcpy(&idn.free, &release, sizeof release);
}

static int is_ascii(const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if ((unsigned char)s[i] >= 128) return 0;
  return 1;
}

/* The domain of name, behind at bytes, becomes A-labels. */
static int ascii_domain(stralloc *name, size_t at) {
  char *ascii;
  int r;

  if (is_ascii(name->s + at, name->len - at)) return 1;
  if (!idn.tried) load();
  if (!idn.to_ascii) return 0;
  r = idn.to_ascii(name->s + at, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_USE_STD3_ASCII_RULES);
  if (r != IDN2_OK) return r == IDN2_MALLOC ? -1 : 0;
  stralloc_cut(name, at);
  r = stralloc_cats(name, ascii) ? 1 : -1;
  idn.free(ascii);
  return r;
}

int login_name_prepare(stralloc *out, const char *s, size_t n) {
  stralloc name = STRALLOC_INIT;
  size_t at;
  int r;

  if (is_ascii(s, n)) return stralloc_copyb(out, s, n) ? 1 : -1;
  if (memchr(s, 0, n)) return 0;
  if (!stralloc_copyb(&name, s, n)) return -1;
  r = saslprep_unicode(out, name.s, SASLPREP_QUERY);
  stralloc_free(&name);
  if (r != 1) return r;
  at = bytes_rchr(out->s, out->len, '@');
  return at == out->len ? 1 : ascii_domain(out, at + 1);
}
