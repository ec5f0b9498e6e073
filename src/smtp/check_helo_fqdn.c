/* check_helo_fqdn: with ENFORCE_FQDN_HELO, a name in HELO or EHLO has a dot, or is an address in
 * brackets. */
#include "base/bytes.h"
#include "smtp/checks.h"

enum verdict check_helo_fqdn(const struct connection *c, const struct transaction *t, const struct conf *conf,
                             struct policy_reply *r) {
  const stralloc *helo = &c->helo;

  if (!conf_flag(conf, SET_enforce_fqdn_helo)) return VERDICT_NEXT;
  if (helo->len && (helo->s[0] == '[' || bytes_chr(helo->s, helo->len, '.') < helo->len)) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 550, "5.7.1", "say your full name");
}
