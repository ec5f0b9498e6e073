/* check_openrelay: a rule of tcprules, or a list, said that the client is an open relay. */
#include "smtp/checks.h"

enum verdict check_openrelay(const struct connection *c, const struct transaction *t, const struct conf *conf,
                             struct policy_reply *r) {
  const char *text = conf_line(conf, SET_openrelay);

  if (!conf_isset(conf, SET_openrelay)) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 554, "5.7.1", *text ? text : "you are an open relay");
}
