/* send_daemon: what qmail-send and slowq-send are: the manager of the queue they find in the
 * environment, one of them at a time. */
#ifndef SEND_SEND_DAEMON_H
#define SEND_SEND_DAEMON_H

#include "base/strerr.h"

/* name: of the program, for plugins.  rates: the directory of rates where $RATELIMIT_DIR is not set, "" for none; relative to the
 * queue.  0 after TERM, or -1 with e filled. */
int send_daemon(const char *name, const char *rates, struct strerr *e) MUST_CHECK;

#endif
