/* check_maxrecipients: enough recipients for one message.  Even without a limit of
 * the administrator's what we remember is bounded. */
#include "smtp/checks.h"

#define RECIPIENTS_BYTES (512u << 10)

enum verdict check_maxrecipients(const struct connection *c, const struct transaction *t, const struct conf *conf,
                                 struct policy_reply *r) {
  uint64_t max = conf_number(conf, SET_maxrecipients);

  if ((!max || t->accepted < max) && t->recipients.len + t->notifies.len < RECIPIENTS_BYTES) return VERDICT_NEXT;
  return policy_say(r, VERDICT_DEFER, 452, "4.5.3", "too many recipients, send the others in another message");
}
