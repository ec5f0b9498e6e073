/* residents: the resident servers of one tcpserver (net/resident.h), kept running. */
#ifndef SUPER_RESIDENTS_H
#define SUPER_RESIDENTS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"
#include "base/stralloc.h"
#include "base/strerr.h"

#define RESIDENTS_MAX 64

struct resident_process;

struct residents {
  struct loop *loop;
  char *const *argv; /* of the program; -W is put behind its name */
  char *const *envp;
  /* A connection of the server of this index is over. */
  void (*over)(void *ctx, size_t server, uint64_t number);
  /* Some were, and now it says no more. */
  void (*heard)(void *ctx);
  /* The server died: all its connections are over. */
  void (*lost)(void *ctx, size_t server);
  void (*complain)(void *ctx, const struct strerr *e);
  void *ctx;
  size_t n;
  struct resident_process *process;
  char **command;
};

/* Start n of them: 0, or -1 with e filled. */
int residents_start(struct residents *r, size_t n, struct strerr *e) MUST_CHECK;
/* Hand over a connection as resident_format made it: the index of the server that has
 * it, or -1 when none can take it now. */
int residents_hand(struct residents *r, const stralloc *message, int fd);
/* A child of ours ended: 1 if it was one of them (it is started again, not at once). */
int residents_ended(struct residents *r, pid_t pid);
void residents_free(struct residents *r);

#endif
