/* saslprep_unicode: see saslprep_unicode.h. */
#include "crypt/saslprep_unicode.h"

#include <dlfcn.h>
#include <string.h>

#include "base/utf8.h"
#include "crypt/saslprep.h"

/* Of <stringprep.h>: prepares in place, in a buffer of that size; 0 when it could. */
#define NO_UNASSIGNED 4
typedef int (*stringprep_fn)(char *text, size_t size, int flags, const void *profile);

static const char *const libraries[] = {"libidn.so.12", "libidn.so.11"};

static struct {
  int tried;
  stringprep_fn prepare; /* null: not there */
  const void *profile;
} idn;

static void load(void) {
  void *library = 0, *function;

  idn.tried = 1;
  for (size_t i = 0; !library && i < sizeof libraries / sizeof *libraries; ++i) library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  function = dlsym(library, "stringprep");
  idn.profile = dlsym(library, "stringprep_saslprep");
  if (function && idn.profile) memcpy(&idn.prepare, &function, sizeof function);
}

int saslprep_unicode(stralloc *out, const char *password, enum saslprep_use use) {
  char buf[8192] = {0}; /* one character may become eighteen */
  size_t n = strlen(password);
  int r = 0;

  stralloc_cut(out, 0);
  if (saslprep_ok(password, n)) return stralloc_copyb(out, password, n) ? 1 : -1;
  if (!n || n > SASLPREP_MAX || !utf8_valid(password, n)) return 0;
  if (!idn.tried) load();
  if (!idn.prepare) return 0;
  memcpy(buf, password, n);
  if (idn.prepare(buf, sizeof buf, use == SASLPREP_STORED ? NO_UNASSIGNED : 0, idn.profile) == 0 && *buf)
    r = stralloc_copys(out, buf) ? 1 : -1;
  explicit_bzero(buf, sizeof buf);
  return r;
}

int saslprep_differs(stralloc *out, const char *password, enum saslprep_use use) {
  int r = saslprep_ok(password, strlen(password)) ? 0 : saslprep_unicode(out, password, use);

  return r == 1 && stralloc_equals(out, password) ? 0 : r;
}
