/* check_relaymailfrom: this sender may relay, for this message.  Forged as easily as a sender
 * is; there only for those who put somebody in the list. */
#include "smtp/checks.h"

enum verdict check_relaymailfrom(const struct connection *c, const struct transaction *t, const struct conf *conf,
                                 struct policy_reply *r) {
  enum verdict listed = policy_listed(c, LIST_relaymailfrom, &t->sender.address, r);

  if (listed == VERDICT_ACCEPT) r->marks |= MARK_RELAY;
  return listed == VERDICT_FAILED ? listed : VERDICT_NEXT;
}
