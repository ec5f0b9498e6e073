/* route: see route.h. */
#include "send/route.h"

#include <string.h>

#include "base/bytes.h"
#include "conf/conf.h"

/* user%host@domain -> user@host, as long as the domain is in percenthack. */
static void percenthack(const struct route_table *t, stralloc *a) {
  for (;;) {
    size_t at = bytes_rchr(a->s, a->len, '@');
    size_t percent = bytes_rchr(a->s, at, '%');

    if (percent == at || !conf_has(t->percenthack, a->s + at + 1, a->len - at - 1)) return;
    stralloc_cut(a, at);
    a->s[percent] = '@';
  }
}

/* Of an address of n bytes with its @ at at. */
static const char *prefix_of(const struct route_table *t, const char *address, size_t n, size_t at) {
  const char *v = conf_map(t->virtualdomains, address, n);

  return v ? v : conf_map_domain(t->virtualdomains, address + at + 1, n - at - 1);
}

int route_address(const struct route_table *t, const char *address, size_t n, stralloc *out,
                  enum channel *channel) {
  stralloc a = STRALLOC_INIT;
  const char *prefix = 0;
  size_t at;
  int ok = stralloc_copyb(&a, address, n);

  if (ok && bytes_chr(a.s, a.len, '@') == a.len)
    ok = stralloc_append(&a, '@') && stralloc_cats(&a, t->envnoathost);
  *channel = CHANNEL_REMOTE;
  if (ok) {
    percenthack(t, &a);
    at = bytes_rchr(a.s, a.len, '@');
    if (conf_has(t->locals, a.s + at + 1, a.len - at - 1)) *channel = CHANNEL_LOCAL;
    else prefix = prefix_of(t, a.s, a.len, at);
    stralloc_cut(out, 0);
    if (prefix && *prefix) {
      *channel = CHANNEL_LOCAL;
      ok = stralloc_catm(out, prefix, "-", (char *)0);
    }
    ok = ok && stralloc_cat(out, &a);
  }
  stralloc_free(&a);
  return ok;
}

const char *route_original(const struct route_table *t, const char *routed) {
  size_t n = strlen(routed);
  size_t at = bytes_rchr(routed, n, '@');

  if (at == n || conf_has(t->locals, routed + at + 1, n - at - 1)) return routed;
  for (size_t i = 0; i < at; ++i) {
    const char *prefix;

    if (routed[i] != '-') continue;
    prefix = prefix_of(t, routed + i + 1, n - i - 1, at - i - 1);
    if (prefix && strlen(prefix) == i && !strncmp(prefix, routed, i)) return routed + i + 1;
  }
  return routed;
}
