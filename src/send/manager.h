/* manager: the engine of qmail-send.  Takes messages from todo-proc, starts
 * deliveries through the spawners as sched tells it, records their results, sends
 * bounces, has finished messages removed by qmail-clean, and logs all of it.
 *
 * Invariant: a recipient is marked done on disk before its message can be removed,
 * and a failure is in bounce/ID before its recipient is marked done. */
#ifndef SEND_MANAGER_H
#define SEND_MANAGER_H

#include <signal.h>

#include "base/sigfd.h"
#include "base/strerr.h"

/* Orders to it by signal. Whoever is about to become it holds them, or they would end it. */
#define MANAGER_SIGNALS (SIG_BIT(SIGHUP) | SIG_BIT(SIGALRM) | SIG_BIT(SIGUSR1) | SIG_BIT(SIGUSR2))

/* Descriptors as qmail-start sets them. */
enum {
  MANAGER_LOG = 0,
  MANAGER_TO_LOCAL = 1,
  MANAGER_FROM_LOCAL = 2,
  MANAGER_TO_REMOTE = 3,
  MANAGER_FROM_REMOTE = 4,
  MANAGER_TO_CLEAN = 5,
  MANAGER_FROM_CLEAN = 6,
  MANAGER_TO_TODO = 7,
  MANAGER_FROM_TODO = 8,
};

/* Run in the current directory, a queue, until TERM and the end of the deliveries
 * under way: 0, or -1 with e filled.  rates: directory of rates where the settings name none,
 * "" for no rates. */
int manager_run(const char *queue_name, const char *rates, struct strerr *e) MUST_CHECK;

#endif
