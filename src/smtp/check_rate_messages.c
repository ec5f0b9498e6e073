/* check_rate_messages: more messages of the client's address, or of its network, than are allowed in a time. */
#include "smtp/checks.h"
#include "smtp/rates.h"

enum verdict check_rate_messages(const struct connection *c, const struct transaction *t, const struct conf *conf,
                           struct policy_reply *r) {
  return rates_client(c, conf, 'm', SET_rate_messages, SET_rate_messages_net, 450, "too much mail from your address or network, try again later", r);
}
