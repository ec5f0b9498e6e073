/* check_goodrcptto: a recipient of the list is not looked at any further.  Whether we may take
 * mail for it at all was judged before. */
#include "smtp/checks.h"

enum verdict check_goodrcptto(const struct connection *c, const struct transaction *t, const struct conf *conf,
                              struct policy_reply *r) {
  return policy_listed(c, LIST_goodrcptto, &t->recipient.address, r);
}
