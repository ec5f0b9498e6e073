/* qmqp_server: one message by QMQP (port 628) into the queue.
 *
 * The client sends one netstring that holds the message (lines end in LF), the sender and
 * the recipients, each a netstring; it gets one back, whose first byte is K (queued), Z (try
 * again) or D (refused), and the connection is over.  Whoever may connect may relay: that
 * is for tcpserver's rules to limit, and no check is asked. */
#ifndef SMTP_QMQP_SERVER_H
#define SMTP_QMQP_SERVER_H

#include "smtp/session.h"

/* Blocks until the client is served, for an hour at most.  0 answered; 111 (logged) when the client
 * went away, ran out of time, or sent something else, or the queue cannot take mail now. */
int qmqp_run(struct session *s);

#endif
