/* svscan: one supervise for each directory below the service directory, and a
 * second one, with a pipe between the two, where there is a log directory.
 *
 * svscan keeps both ends of each pipe, so no line is lost when either side is
 * restarted.  It makes itself the reaper of what its children leave behind: at the
 * end it stops the services first, then what they left, then the loggers, which
 * read their pipes to the end. */
#ifndef SUPER_SVSCAN_H
#define SUPER_SVSCAN_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"

struct svscan_options {
  const char *dir;
  const char *supervise; /* path of the program */
  uint64_t interval;     /* seconds between scans; 0: only on SIGHUP */
  uint64_t max;          /* services at most */
  uint64_t wait_mains;   /* seconds to end for services, then they are killed */
  uint64_t wait_logs;    /* the same for loggers and processes left behind */
  const char *init;      /* program to run once at the start; null: none */
  int wait_init;
  int log;         /* own fds 1 and 2 go to the logger .svscan/log */
  int tied;        /* supervises end when svscan does, however it ends */
  int verbose, silent;
};

/* Runs until SIGTERM or SIGINT has ended everything: 0, or -1 with e filled. */
int svscan_run(const struct svscan_options *o, struct strerr *e) MUST_CHECK;

#endif
