/* A line of smtproutes and, behind it, the host that is asked for: no route is a permanent
 * failure, and what is found has an address and a port.  Names are not looked up: the
 * deadline has passed. */
#include "smtp/target.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *lf = size ? memchr(data, '\n', size) : 0;
  size_t n = lf ? (size_t)(lf - (const char *)data) : 0;
  struct conf conf;
  struct target_list l;
  stralloc host = STRALLOC_INIT;
  struct strerr e = {0};
  enum target_outcome r;

  if (!lf) return 0;
  memset(&conf, 0, sizeof conf);
  if (!stralloc_copyb(&host, lf + 1, size - n - 1) || !strlist_add(&conf.v[SET_smtproutes].lines, (const char *)data, n)) abort();
  setenv("DNSCACHEIP", "127.0.0.1", 1);
  r = target_find(&l, stralloc_cstr(&host), &conf, mono_now() - 1, &e);
  if (r == TARGET_OK && (!l.n || !l.t[0].port)) abort();
  if (r == TARGET_PERM && l.routed) abort();
  if (r != TARGET_OK && !*e.text) abort();
  target_list_free(&l);
  stralloc_free(&host);
  conf_free(&conf);
  return 0;
}
