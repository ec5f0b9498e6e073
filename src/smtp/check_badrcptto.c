/* check_badrcptto: the recipient is in the administrator's list. */
#include "mail/addrlist.h"
#include "smtp/checks.h"

enum verdict check_badrcptto(const struct connection *c, const struct transaction *t, const struct conf *conf,
                             struct policy_reply *r) {
  const stralloc *a = &t->recipient.address;

  if (!addrlist_match(conf_lines(conf, SET_badrcptto), a->s, a->len)) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "mail to this recipient is not accepted here");
}
