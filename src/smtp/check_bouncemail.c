/* check_bouncemail: BOUNCEMAIL is set for this client. */
#include "smtp/checks.h"

enum verdict check_bouncemail(const struct connection *c, const struct transaction *t, const struct conf *conf,
                              struct policy_reply *r) {
  const char *text = conf_line(conf, SET_bouncemail);

  if (!conf_isset(conf, SET_bouncemail)) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 553, "5.7.1", *text ? text : "no mail is accepted here");
}
