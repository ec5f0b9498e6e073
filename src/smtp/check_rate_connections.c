/* check_rate_connections: more connections of the client's address, or of its network, than are allowed in a time. */
#include "smtp/checks.h"
#include "smtp/rates.h"

enum verdict check_rate_connections(const struct connection *c, const struct transaction *t, const struct conf *conf,
                           struct policy_reply *r) {
  return rates_client(c, conf, 'c', SET_rate_connections, SET_rate_connections_net, 421, "too many connections from your address or network, try again later", r);
}
