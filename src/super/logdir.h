/* logdir: a directory of automatically rotated logs.
 *
 * current is being written; its mode has the owner's x bit only while it is known
 * to be complete on disk.  @STAMP.s are finished logs, @STAMP.u logs cut short by a
 * crash.  With a processor a full log becomes previous; the processor turns it into
 * processed and newstate, and the x bit of processed says that both are done.
 *
 * Nothing written is ever given up: while the disk refuses, the functions complain
 * on fd 2, wait and try again. */
#ifndef SUPER_LOGDIR_H
#define SUPER_LOGDIR_H

#include <stdint.h>
#include <sys/types.h>

#include "base/stralloc.h"
#include "base/strerr.h"

#define LOGDIR_SIZE 99999
#define LOGDIR_SIZE_MIN 4096
#define LOGDIR_SIZE_MAX 16777215
#define LOGDIR_KEEP 10
#define LOGDIR_KEEP_MIN 2

struct logdir {
  const char *path;
  uint64_t max;          /* bytes of a log at most */
  uint64_t keep;         /* logs, current included */
  const char *processor; /* command for sh, or null */
  int nosync;
  int dir, lock, fd;
  uint64_t size; /* of current, with what is in out */
  pid_t pid;     /* the processor at work */
  stralloc out;  /* not written yet */
};

/* Take the directory in hand (path, max, keep, processor and nosync are set; the
 * rest is zero): 0, or -1 with e filled. */
int logdir_open(struct logdir *d, struct strerr *e) MUST_CHECK;
/* Add bytes; an LF among them may complete the log.  0, or -1 for out of memory,
 * when nothing was added. */
int logdir_put(struct logdir *d, const char *s, size_t n) MUST_CHECK;
/* Everything put so far is with the system. */
void logdir_flush(struct logdir *d);
/* Finish current now, if it holds anything. */
void logdir_rotate(struct logdir *d);
/* After SIGCHLD: has the processor finished? */
void logdir_reap(struct logdir *d);
/* Flush, sync, wait for the processor, close. */
void logdir_close(struct logdir *d);

#endif
