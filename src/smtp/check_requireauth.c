/* check_requireauth: REQUIREAUTH and not authenticated. */
#include "smtp/checks.h"

enum verdict check_requireauth(const struct connection *c, const struct transaction *t, const struct conf *conf,
                               struct policy_reply *r) {
  if (c->authenticated || !conf_flag(conf, SET_requireauth)) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 530, "5.7.0", "authentication required");
}
