/* worker_pool: resident delivery processes of qmail-lspawn and qmail-rspawn, started when they
 * are needed and ended when they have been idle, or have done many jobs.  What they are given
 * and what they answer is in queue/worker_proto.h. */
#ifndef SEND_WORKER_POOL_H
#define SEND_WORKER_POOL_H

#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"
#include "send/spawner.h"

struct worker;

struct worker_pool {
  struct loop *loop;
  char *const *argv; /* the program and its arguments; it gets the socket as fd 0 */
  char *const *envp; /* null: ours */
  const char *cwd;   /* null: ours */
  int errors;        /* a descriptor for its fd 2, or -1 */
  size_t max;        /* workers at once */
  size_t spare;      /* from so many idle ones on, one that knows another host is taken before a new one starts */
  /* Can this be a worker's answer?  Null: any is.  A worker that fails here is ended, its job deferred. */
  int (*sane)(unsigned char code, const stralloc *output);
  struct worker *workers;
  size_t count;
  struct loop_timer sweep;
};

struct worker_job {
  uid_t uid; /* whose worker */
  gid_t gid;
  const char *host;     /* one that did this host last is taken if there is one; "": no matter */
  const stralloc *text; /* worker_proto.h */
  int fd[2];
  size_t fds;
};

/* Hand a job to an idle worker of this account, or to a new one: 1, or 0 when there can be
 * none now: do it another way.  The slot is over when the worker answers, or dies. */
int worker_pool_run(struct worker_pool *p, struct spawner_slot *slot, const struct worker_job *job);

#endif
