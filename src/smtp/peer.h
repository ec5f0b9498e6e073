/* peer: who is at the other end, where somebody we trust says so instead of the network: a load
 * balancer by the PROXY protocol before anything else, a proxy by XCLIENT. */
#ifndef SMTP_PEER_H
#define SMTP_PEER_H

#include "smtp/session.h"

/* Null: not known, or as it was. */
struct peer {
  const char *ip, *port, *host;
  const char *local_ip, *local_port;
};
/* From now on this is the client, for checks, log, trace field, and programs that are run.  What was
 * granted to the one before, $RELAYCLIENT, goes.  0, or -1 when memory ran out (nothing is changed). */
int peer_set(struct session *s, const struct peer *p) MUST_CHECK;
/* Reads the PROXY header, if our client has to send one: 1, or 0 when the session is over. */
int peer_read_proxy(struct session *s) MUST_CHECK;
void peer_free(struct session *s);

#endif
