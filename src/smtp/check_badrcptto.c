/* check_badrcptto: the recipient is in the administrator's list. */
#include "smtp/checks.h"

enum verdict check_badrcptto(const struct connection *c, const struct transaction *t, const struct conf *conf,
                             struct policy_reply *r) {
  enum verdict listed = policy_listed(c, LIST_badrcptto, &t->recipient.address, r);

  if (listed != VERDICT_ACCEPT) return listed;
  return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "mail to this recipient is not accepted here");
}
