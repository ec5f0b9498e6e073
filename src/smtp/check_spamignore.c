/* check_spamignore: mail of this sender is not shown to the spam filter. */
#include "smtp/checks.h"

enum verdict check_spamignore(const struct connection *c, const struct transaction *t, const struct conf *conf,
                              struct policy_reply *r) {
  enum verdict listed = policy_listed(c, LIST_spamignore, &t->sender.address, r);

  if (listed == VERDICT_ACCEPT) r->marks |= MARK_NO_SPAMFILTER;
  return listed == VERDICT_FAILED ? listed : VERDICT_NEXT;
}
