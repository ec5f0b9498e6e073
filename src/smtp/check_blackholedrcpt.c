/* check_blackholedrcpt: what comes for this recipient goes nowhere. */
#include "smtp/checks.h"

enum verdict check_blackholedrcpt(const struct connection *c, const struct transaction *t, const struct conf *conf,
                                  struct policy_reply *r) {
  enum verdict listed = policy_listed(c, LIST_blackholedrcpt, &t->recipient.address, r);

  return listed == VERDICT_ACCEPT ? VERDICT_DISCARD : listed;
}
