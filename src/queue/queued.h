/* queued: the engine of qmail-queued, the resident form of qmail-queue.  It serves
 * what no process need be started for: messages that fit in a socket buffer's worth
 * of memory and are complete when they come.  Runs as qmailq.
 *
 * All requests that have come together are one batch: it goes to one queue, into one
 * directory, and one sync of the queue's journal (queue/journal.h) makes it safe. */
#ifndef QUEUE_QUEUED_H
#define QUEUE_QUEUED_H

#include "base/strerr.h"
#include "conf/conf.h"

/* Serve connections of a listening, non-blocking socket for ever (several processes may
 * share it).  Returns on TERM (0) or failure. */
int queued_serve(int listener, const struct conf *conf, struct strerr *e);

#endif
