/* check_badmailfrom: the sender is in the administrator's list.  The null sender
 * never is: it is what bounces have. */
#include "mail/addrlist.h"
#include "smtp/checks.h"

enum verdict check_badmailfrom(const struct connection *c, const struct transaction *t, const struct conf *conf,
                               struct policy_reply *r) {
  const stralloc *a = &t->sender.address;

  if (!a->len || !addrlist_match(conf_lines(conf, SET_badmailfrom), a->s, a->len)) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "mail from this sender is not accepted here");
}
