/* check_cugmail_rcpt: with CUGMAIL set, recipients are ours, for whoever may relay too. */
#include "smtp/checks.h"

enum verdict check_cugmail_rcpt(const struct connection *c, const struct transaction *t, const struct conf *conf,
                                struct policy_reply *r) {
  return policy_closed_group(conf, &t->recipient, r);
}
