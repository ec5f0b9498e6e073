/* qmqp_server: one message by QMQP (port 628) into the queue.
 *
 * The client sends one netstring that holds the message (lines end in LF), the sender and
 * the recipients, each a netstring; it gets one back, whose first byte is K (queued), Z (try
 * again) or D (refused), and the connection is over.  Whoever may connect may relay: that
 * is for tcpserver's rules to limit. */
#ifndef SMTP_QMQP_SERVER_H
#define SMTP_QMQP_SERVER_H

#include "base/env.h"
#include "base/strerr.h"
#include "conf/conf.h"

struct qmqp_place {
  int in, out; /* descriptors; may be the same */
  const struct conf *conf;
  const struct env *env; /* variables of the connection */
};

/* Blocks until the client is served, for an hour at most.  0 answered; -1 with e filled: the
 * client went away, ran out of time, or sent something else.  In both cases it is logged. */
int qmqp_serve(const struct qmqp_place *at, struct strerr *e) MUST_CHECK;

#endif
