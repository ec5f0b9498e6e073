/* check_maxhops: the message has been around too long. */
#include "smtp/checks.h"

enum verdict check_maxhops(const struct connection *c, const struct transaction *t, const struct conf *conf,
                           struct policy_reply *r) {
  uint64_t max = conf_number(conf, SET_maxhops);

  if (!max || t->data.hops < max) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 554, "5.4.6", "too many hops, this message is looping");
}
