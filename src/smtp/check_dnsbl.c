/* check_dnsbl: the client's address is in one of the lists of dnsbllist.  A list that gives no
 * answer has not listed it. */
#include <string.h>

#include "base/bytes.h"
#include "smtp/checks.h"
#include "smtp/dns_name.h"

static enum verdict refuse(const char *line, size_t zone, struct policy_reply *r) {
  if (line[zone]) return policy_say(r, VERDICT_REJECT, 554, "5.7.1", line + zone + 1);
  policy_say(r, VERDICT_REJECT, 554, "5.7.1", "your address is listed in ");
  if (!stralloc_catb(&r->text, line, zone)) stralloc_cut(&r->text, 0);
  return VERDICT_REJECT;
}

enum verdict check_dnsbl(const struct connection *c, const struct transaction *t, const struct conf *conf,
                         struct policy_reply *r) {
  const struct strlist *lines = conf_lines(conf, SET_dnsbllist);
  enum verdict verdict = VERDICT_NEXT;
  struct strerr e;
  struct ip ip;

  if (!lines->len || conf_flag(conf, SET_skipdnsbl) || !ip_scan(c->ip, strlen(c->ip), &ip) || ip_is_loopback(&ip)) return VERDICT_NEXT;
  for (size_t i = 0; i < lines->len; ++i) {
    const stralloc *line = &lines->item[i];
    size_t zone = bytes_chr(line->s, line->len, ':');

    switch (dns_name_listed(&ip, line->s, zone, &e)) {
      case DNS_NAME_THERE: return refuse(line->s, zone, r);
      case DNS_NAME_NOT:
      case DNS_NAME_NULL_MX: break;
      case DNS_NAME_FAILED: verdict = policy_say(r, VERDICT_FAILED, 0, "", e.text); break;
    }
  }
  return verdict;
}
