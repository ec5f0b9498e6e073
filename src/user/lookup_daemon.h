/* lookup_daemon: inlookup as processes.  A parent owns the sockets and FIFOs and keeps
 * its workers alive; each worker has a database connection of its own and serves many
 * clients from an event loop.  Some workers answer only what costs a password hash, on
 * a socket of their own. */
#ifndef USER_LOOKUP_DAEMON_H
#define USER_LOOKUP_DAEMON_H

#include "base/strerr.h"
#include "user/identity.h"
#include "user/lookup_answer.h"

struct lookup_daemon {
  const char *dir;  /* RUN/inlookup */
  const char *fifo; /* name of the FIFOs below it; worker k has NAME.k */
  unsigned quick, slow; /* workers of each kind */
  int verbose;
  int sandbox; /* of workers: conf/sandbox.h */
  struct identity mail; /* become it once everything is created */
  struct lookup_service service;
};

/* Serve until SIGTERM: 0, or -1 with e filled.  SIGHUP: workers close and reopen the
 * database.  SIGUSR1: write the counters to descriptor 2. */
int lookup_daemon_run(struct lookup_daemon *d, struct strerr *e) MUST_CHECK;

#endif
