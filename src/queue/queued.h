/* queued: the engine of qmail-queued, the resident form of qmail-queue.  It serves
 * what no process need be started for: messages that fit in a socket buffer's worth
 * of memory and are complete when they come.  Runs as qmailq. */
#ifndef QUEUE_QUEUED_H
#define QUEUE_QUEUED_H

#include "base/strerr.h"
#include "conf/conf.h"

/* Serve connections of a listening socket, one at a time, for ever (several processes
 * may share the socket).  Returns only on failure of the socket. */
int queued_serve(int listener, const struct conf *conf, struct strerr *e);

#endif
