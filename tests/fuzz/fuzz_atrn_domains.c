/* Domains of ATRN: what a user is granted, an LF, what he asks for. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "smtp/atrn_domains.h"
#include "smtp/turn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static void look(const struct strlist *l) {
  for (size_t i = 0; i < l->len; ++i) {
    const stralloc *d = &l->item[i];

    require(d->len && !memchr(d->s, ',', d->len) && !memchr(d->s, ' ', d->len) && !memchr(d->s, '\t', d->len));
    require(strlist_find(l, d->s, d->len) == (long)i); /* each once */
  }
}

/* What is granted has a path of its own, or none: never one elsewhere. */
static void try_paths(const struct strlist *l) {
  stralloc path = STRALLOC_INIT, base = STRALLOC_INIT;

  require(turn_path("example.com", &base) == 1);
  stralloc_cut(&base, base.len - strlen("example.com"));
  for (size_t i = 0; i < l->len; ++i) {
    if (turn_path(l->item[i].s, &path) != 1) continue;
    require(path.len > base.len && !memcmp(path.s, base.s, base.len));
    require(!memchr(path.s + base.len, '/', path.len - base.len) && path.s[base.len] != '.');
  }
  stralloc_free(&path);
  stralloc_free(&base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  size_t line = bytes_chr(s, size, '\n');
  struct strlist granted = {0}, wanted = {0};

  require(atrn_domains_add(&granted, s, line));
  if (line < size) require(atrn_domains_add(&wanted, s + line + 1, size - line - 1));
  look(&granted);
  look(&wanted);
  if (atrn_domains_granted(&wanted, &granted)) {
    require(wanted.len && wanted.len <= TURN_DOMAINS && wanted.len <= granted.len);
    try_paths(&wanted);
  }
  strlist_free(&granted);
  strlist_free(&wanted);
  return 0;
}
