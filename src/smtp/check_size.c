/* check_size: MAIL announced more than databytes. */
#include "smtp/checks.h"

enum verdict check_size(const struct connection *c, const struct transaction *t, const struct conf *conf,
                        struct policy_reply *r) {
  uint64_t max = conf_number(conf, SET_databytes);

  if (!max || t->size <= max) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 552, "5.3.4", "message too large");
}
