/* check_force_tls: FORCE_TLS and no TLS yet. */
#include "smtp/checks.h"

enum verdict check_force_tls(const struct connection *c, const struct transaction *t, const struct conf *conf,
                             struct policy_reply *r) {
  if (c->tls || !conf_flag(conf, SET_force_tls)) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 530, "5.7.0", "say STARTTLS first");
}
