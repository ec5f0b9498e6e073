/* login_peer: who is at the other end of an IMAP or POP3 connection, where somebody we trust says so
 * instead of the network: a load balancer by the PROXY protocol before anything else (proxyhosts), a
 * proxy by ID (IMAP) or XCLIENT (POP3) before the login (xclienthosts). */
#ifndef USER_LOGIN_PEER_H
#define USER_LOGIN_PEER_H

#include "user/login.h"

/* Reads the PROXY header if our client has to send one.  0, or -1 with e filled. */
int login_peer_start(struct login *l, struct strerr *e) MUST_CHECK;
/* May this connection speak for others? */
int login_peer_is_proxy(const struct login *l);
/* It speaks for this address from now on.  port may be null.  1, 0 not an address, -1 memory. */
int login_peer_set(struct login *l, const char *ip, const char *port) MUST_CHECK;
/* What the mail server and modules are told: 1 or 0 (memory). */
int login_peer_environment(const struct login *l, struct env *env) MUST_CHECK;

#endif
