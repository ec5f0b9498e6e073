/* check_lineends: a message whose lines two servers could read differently is how
 * one message is smuggled inside another. */
#include "smtp/checks.h"

enum verdict check_lineends(const struct connection *c, const struct transaction *t, const struct conf *conf,
                            struct policy_reply *r) {
  unsigned flaws = t->data.flaws;

  if (!flaws) return VERDICT_NEXT;
  if (t->binary)
    return policy_say(r, VERDICT_REJECT, 554, "5.6.3", "binary parts cannot be kept as they are; send them encoded");
  return policy_say(r, VERDICT_REJECT, 554, "5.6.0",
                    flaws & DATA_BARE_LF   ? "bare LF in the message; lines end with CR LF"
                    : flaws & DATA_BARE_CR ? "bare CR in the message; lines end with CR LF"
                                           : "NUL byte in the message");
}
