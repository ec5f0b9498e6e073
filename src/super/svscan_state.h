/* svscan_state: what the two halves of svscan share (svscan.c, svscan_end.c). */
#ifndef SUPER_SVSCAN_STATE_H
#define SUPER_SVSCAN_STATE_H

#include <sys/types.h>

#include "base/loop.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "super/svscan.h"

enum { MAIN, LOG };

/* One supervise. */
struct run {
  pid_t pid;
  int wanted;
  int other; /* a supervise that is not our child runs there */
  int down; /* was there a file "down" at the last scan?  -1: not known */
  deadline started;
};

struct service {
  stralloc name;
  dev_t dev;
  ino_t ino;
  struct run run[2];
  int pipe[2]; /* -1 without a log */
  int seen;    /* its directory was there at the last scan */
  int self;    /* svscan's own logger, which has no MAIN */
};

enum phase { PHASE_RUNNING, PHASE_HOOK, PHASE_MAINS, PHASE_ORPHANS, PHASE_LOGS };

struct svscan {
  const struct svscan_options *o;
  struct loop loop;
  struct loop_io signals;
  struct loop_timer interval, start, end;
  struct service **service;
  size_t n, a;
  int fd_stderr; /* as we were started */
  pid_t hook;    /* .svscan/run or .svscan/shutdown */
  enum phase phase;
  deadline limit; /* of the phase */
  int pressed;    /* how often the limit has passed */
  int verbose, silent;
};

void svscan_warn(struct svscan *s, const struct strerr *e);
/* NAME or NAME/log. */
int svscan_path(const struct service *v, int which, stralloc *path) MUST_CHECK;
void svscan_scan(struct svscan *s);
void svscan_start_missing(struct svscan *s);
/* Begin the end; go on with it after something has happened. */
void svscan_end_begin(struct svscan *s);
void svscan_end_step(struct svscan *s);

#endif
