/* worker_pool: resident delivery processes of qmail-lspawn, a few for each account that
 * is delivered to, started when they are needed and ended when they have been idle. */
#ifndef SEND_WORKER_POOL_H
#define SEND_WORKER_POOL_H

#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"
#include "send/spawner.h"

struct worker;

struct worker_pool {
  struct loop *loop;
  char *const *argv; /* the program and its arguments */
  struct worker *workers;
  size_t count;
  struct loop_timer sweep;
};

/* Hand a job (worker_proto.h) to an idle worker of this account, or to a new one: 1, or
 * 0 when there can be none now: do it another way.  The slot is over when the worker
 * answers, or dies. */
int worker_pool_run(struct worker_pool *p, struct spawner_slot *slot, uid_t uid, gid_t gid, const stralloc *job,
                    int messfd, int outfd);

#endif
