/* send_daemon: what qmail-send and slowq-send are: the manager of the queue they find in the
 * environment, one of them at a time. */
#ifndef SEND_SEND_DAEMON_H
#define SEND_SEND_DAEMON_H

#include "base/attr.h"

/* Variable in which qmail-daemon says which process it is. */
#define SEND_STARTER "QMAILDAEMON"

/* name: of the program, for plugins.  rates: the directory of rates where $RATELIMIT_DIR is not set, "" for none; relative to the
 * queue.  The exit code: 0 after TERM, or 111, for a reason that is in the log. */
int send_daemon(const char *name, const char *rates) MUST_CHECK;

#endif
