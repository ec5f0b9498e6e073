/* check_rate_recipients: more recipients of the client's address, or of its network, than are allowed in a time. */
#include "smtp/checks.h"
#include "smtp/rates.h"

enum verdict check_rate_recipients(const struct connection *c, const struct transaction *t, const struct conf *conf,
                           struct policy_reply *r) {
  return rates_client(c, conf, 'r', SET_rate_recipients, SET_rate_recipients_net, 450, "too many recipients from your address or network, try again later", r);
}
