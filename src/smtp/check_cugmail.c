/* check_cugmail: with CUGMAIL set, senders are ours. */
#include "smtp/checks.h"

enum verdict check_cugmail(const struct connection *c, const struct transaction *t, const struct conf *conf,
                           struct policy_reply *r) {
  return policy_closed_group(conf, &t->sender, r);
}
