/* check_odmr: with ODMR set, mail is fetched here and not sent. */
#include "smtp/checks.h"

enum verdict check_odmr(const struct connection *c, const struct transaction *t, const struct conf *conf, struct policy_reply *r) {
  if (!conf_flag(conf, SET_odmr)) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 550, "5.7.1", "no mail is taken here: ATRN fetches it");
}
