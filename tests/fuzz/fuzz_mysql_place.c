/* Where a database server is: what parses can be written down again and says the same. */
#include "sql/mysql_place.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static int put(stralloc *out, const stralloc *s) {
  int ok = 1;

  for (size_t i = 0; ok && i < s->len; ++i)
    ok = (!strchr(":\\[]", s->s[i]) || stralloc_append(out, '\\')) && stralloc_append(out, s->s[i]);
  return ok && stralloc_append(out, ':');
}

static int same(const stralloc *a, const stralloc *b) {
  return a->len == b->len && !(a->len && memcmp(a->s, b->s, a->len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct mysql_place p, again;
  stralloc text = STRALLOC_INIT;

  if (mysql_place_parse(&p, (const char *)data, size) == 1) {
    require(p.host.len && p.port <= 65535 && p.tls >= -1 && p.tls <= 1 && !(p.port && p.socket.len));
    require(put(&text, &p.host) && put(&text, &p.user) && put(&text, &p.password));
    require(p.port ? stralloc_catu64(&text, p.port) && stralloc_append(&text, ':') : put(&text, &p.socket));
    require(stralloc_cats(&text, p.tls == 1 ? "ssl" : p.tls == 0 ? "nossl" : ""));
    require(mysql_place_parse(&again, text.s, text.len) == 1);
    require(same(&p.host, &again.host) && same(&p.user, &again.user) && same(&p.password, &again.password) &&
            same(&p.socket, &again.socket) && p.port == again.port && p.tls == again.tls);
    mysql_place_free(&again);
  }
  mysql_place_free(&p);
  stralloc_free(&text);
  return 0;
}
