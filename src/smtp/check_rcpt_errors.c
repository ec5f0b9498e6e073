/* check_rcpt_errors: a client that has so many recipients refused is trying names. */
#include "smtp/checks.h"

enum verdict check_rcpt_errors(const struct connection *c, const struct transaction *t, const struct conf *conf,
                               struct policy_reply *r) {
  uint64_t max = conf_number(conf, SET_max_rcpt_errcount);

  if (!max || c->rcpt_errors < max) return VERDICT_NEXT;
  return policy_say(r, VERDICT_DEFER, 421, "4.7.1", "too many recipients were refused, goodbye");
}
