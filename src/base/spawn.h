/* spawn: the one place that starts programs.
 *
 * The child shares our memory until it execs (vfork), so its price does not grow
 * with the parent and nothing between may allocate.  Descriptors reach the child
 * only through the declared moves: everything else of ours is close-on-exec. */
#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/stralloc.h"
#include "base/strerr.h"

struct spawn_move {
  int from; /* our descriptor, or SPAWN_NULL: /dev/null */
  int to;   /* its number in the child; from == to just passes it on */
};

#define SPAWN_MOVES 12
#define SPAWN_NULL (-2)

struct spawn {
  const char *path; /* a path, or a name looked up in $PATH if it has no slash */
  char *const *argv;
  char *const *envp; /* null: our own environment */
  struct spawn_move move[SPAWN_MOVES];
  size_t moves;
  const char *cwd;  /* null: stay */
  int set_ids;      /* give up root: set group, groups and user as below */
  uid_t uid;
  gid_t gid;
  const gid_t *groups; /* supplementary, ngroups of them */
  size_t ngroups;
  int new_group; /* make the child leader of its own process group */
  int new_session;
  int keep_signals; /* spawn_exec only: leave the mask and ignored signals as they are */
  uint32_t held;    /* SIG_BITs (sigfd.h) of signals that shall wait until it takes them */
  int record_fd;    /* when > 0: the child writes its struct spawn_record there before it
                       execs, so that even a parent killed in between has left a trace */
};

/* Who the child is: its pid, and CLOCK_BOOTTIME when it wrote this.  A process of
 * that pid that started later is another one. */
struct spawn_record {
  int64_t boottime;
  int64_t pid;
};

void spawn_move(struct spawn *s, int from, int to);
/* Start it: the pid, or -1 with e filled (e->sys is why exec failed).  Blocks only
 * until the exec. */
pid_t spawn_start(const struct spawn *s, struct strerr *e) MUST_CHECK;
/* The same for our parent: the child is his, who waits for it.  *pidfd (close-on-exec) is the child,
 * whatever becomes of its pid.  A pid with e->sys set and *pidfd -1: one that could not exec, and that
 * he has to wait for all the same. */
pid_t spawn_start_for_parent(const struct spawn *s, int *pidfd, struct strerr *e) MUST_CHECK;

/* From now on spawn_start starts nothing itself: somebody who still may does it (net/starter.h).
 * The children are ours all the same, and spawn_kill asks him too. */
struct spawn_agent {
  pid_t (*start)(const struct spawn *s, struct strerr *e);
  void (*kill)(pid_t pid);
};
void spawn_by(const struct spawn_agent *agent);
/* How many children we have asked for so far, in whatever way: while it stays the same nobody else got our descriptors. */
unsigned long spawn_asked(void);
/* SIGKILL to a child that was not waited for yet. */
void spawn_kill(pid_t pid);

/* Become it: returns only on failure, -1 with e filled. */
int spawn_exec(const struct spawn *s, struct strerr *e) MUST_CHECK;
/* Wait for one child: its wait status, or -1 with errno.  EINTR handled. */
int spawn_wait(pid_t pid);
/* Exit code of a wait status; 128 + signal if it was killed. */
int spawn_code(int status);

#endif
