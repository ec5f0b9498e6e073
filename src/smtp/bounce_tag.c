/* bounce_tag: see bounce_tag.h. */
#include "smtp/bounce_tag.h"

#include <string.h>

#include "base/bytes.h"
#include "base/now.h"
#include "smtp/our_domains.h"

int bounce_tag_take(const struct conf *conf, struct smtp_path *p, enum batv_verdict *v) {
  const struct strlist *keys = conf_lines(conf, SET_batvkey);
  stralloc plain = STRALLOC_INIT;
  size_t n, had = p->address.len;
  const char *domain = smtp_path_domain(p, &n);
  int ok = 1;

  *v = BATV_NONE;
  if (!keys->len || our_domains_has(conf, domain, n) != 1) return 1;
  *v = batv_check(stralloc_cstr(&p->address), p->address.len, keys, wall_now(), conf_number(conf, SET_batvkeystale), &plain);
  if (*v == BATV_GOOD || *v == BATV_STALE) {
    ok = stralloc_copy(&p->address, &plain);
    p->at -= had - plain.len;
  }
  stralloc_free(&plain);
  return ok && *v != BATV_NO_MEMORY;
}

int bounce_tag_put(const struct conf *conf, const char *sender, const char *host, stralloc *out) {
  const struct strlist *keys = conf_lines(conf, SET_batvkey);
  size_t n = strlen(sender), at = bytes_rchr(sender, n, '@');
  const char *domain = sender + at + 1;

  if (!keys->len || at >= n || conf_has_domain(conf_lines(conf, SET_batvnosignlocals), domain, n - at - 1) ||
      conf_has_domain(conf_lines(conf, SET_batvnosignremote), host, strlen(host)) || our_domains_has(conf, domain, n - at - 1) != 1)
    return stralloc_catb(out, sender, n);
  return batv_sign(out, sender, n, keys->item[0].s, wall_now());
}
