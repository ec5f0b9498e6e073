/* check_sendlimit_recipients: more recipients of who has logged in than are allowed in a time.  The administrator hears of it once. */
#include "smtp/checks.h"
#include "smtp/rates.h"

enum verdict check_sendlimit_recipients(const struct connection *c, const struct transaction *t, const struct conf *conf,
                                struct policy_reply *r) {
  return rates_account(c, conf, 'R', SET_sendlimit_recipients, "you have sent as much as you may for now, try again later", r);
}
