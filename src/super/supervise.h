/* supervise: keeps one service running.
 *
 * The service is DIR/run.  Its state and its commands are in DIR/supervise
 * (svstate.h).  Who the child is stands in DIR/supervise/child, written by the
 * child itself before it execs: a supervise that follows a killed one finds the
 * service there and takes it over, so it never runs twice. */
#ifndef SUPER_SUPERVISE_H
#define SUPER_SUPERVISE_H

#include "base/stralloc.h"
#include "base/strerr.h"

struct supervise_options {
  const char *dir;
  int with_parent; /* stop the service and end when the parent process is gone */
  int new_group;   /* run as leader of its own process group */
};

/* Runs until told to exit (command x, SIGTERM): 0, or -1 with e filled when the
 * service could not be taken in hand (another supervise has it: EWOULDBLOCK). */
int supervise_run(const struct supervise_options *o, struct strerr *e) MUST_CHECK;

#endif
