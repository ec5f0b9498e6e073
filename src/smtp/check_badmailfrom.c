/* check_badmailfrom: the sender is in the administrator's list. */
#include "smtp/checks.h"

enum verdict check_badmailfrom(const struct connection *c, const struct transaction *t, const struct conf *conf,
                               struct policy_reply *r) {
  enum verdict listed = policy_listed(c, LIST_badmailfrom, &t->sender.address, r);

  if (listed != VERDICT_ACCEPT) return listed;
  return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "mail from this sender is not accepted here");
}
