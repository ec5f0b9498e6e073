/* check_badhelo: with BADHELOCHECK or BADHELO, the name in HELO or EHLO is in the list. */
#include "smtp/checks.h"

enum verdict check_badhelo(const struct connection *c, const struct transaction *t, const struct conf *conf,
                           struct policy_reply *r) {
  enum verdict listed = policy_looks_at_helo(conf) ? policy_listed(c, LIST_badhelo, &c->helo, r) : VERDICT_NEXT;

  if (listed != VERDICT_ACCEPT) return listed;
  return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "hosts of that name are not served here");
}
