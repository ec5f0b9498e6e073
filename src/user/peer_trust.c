/* peer_trust: see peer_trust.h. */
#include "user/peer_trust.h"

#include <string.h>

#include "mail/ip_pattern.h"

int peer_trusted(const struct conf *conf, enum setting list, const char *text) {
  const struct strlist *l = conf_lines(conf, list);
  struct ip ip;

  if (!l->len || !ip_scan(text, strlen(text), &ip)) return 0;
  for (size_t i = 0; i < l->len; ++i)
    if (ip_pattern_match(l->item[i].s, l->item[i].len, &ip)) return 1;
  return 0;
}
