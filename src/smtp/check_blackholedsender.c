/* check_blackholedsender: the sender believes that his mail arrives. */
#include "smtp/checks.h"

enum verdict check_blackholedsender(const struct connection *c, const struct transaction *t, const struct conf *conf,
                                    struct policy_reply *r) {
  enum verdict listed = policy_listed(c, LIST_blackholedsender, &t->sender.address, r);

  return listed == VERDICT_ACCEPT ? VERDICT_DISCARD : listed;
}
