/* atrn_domains: see atrn_domains.h. */
#include "smtp/atrn_domains.h"

#include "smtp/turn.h"

int atrn_domains_add(struct strlist *to, const char *s, size_t n) {
  while (n) {
    size_t len = 0;

    while (len < n && s[len] != ',' && s[len] != ' ' && s[len] != '\t') ++len;
    if (len && strlist_find(to, s, len) == -1 && !strlist_add(to, s, len)) return 0;
    if (len < n) ++len;
    s += len;
    n -= len;
  }
  return 1;
}

int atrn_domains_granted(const struct strlist *wanted, const struct strlist *granted) {
  for (size_t i = 0; i < wanted->len; ++i)
    if (strlist_find(granted, wanted->item[i].s, wanted->item[i].len) == -1) return 0;
  return wanted->len && wanted->len <= TURN_DOMAINS;
}
