/* post_handle: the program an administrator has run after each complete change: $POST_HANDLE,
 * else the file of the changing program's own name in PATH_LIBEXEC, if there is one.  It gets
 * the words of the change as arguments, and no shell sees them. */
#ifndef USER_POST_HANDLE_H
#define USER_POST_HANDLE_H

#include "base/strerr.h"
#include "user/identity.h"

struct post_handle {
  const char *program;     /* the one that is done: names the file */
  char *const *args;       /* up to a null pointer */
  const struct identity *id; /* as whom it runs when we are root */
  int as_root;             /* a file of root's in PATH_LIBEXEC runs as root: the change itself needed that */
};

/* Waits for it: its exit code, 0 where there is none, 111 with e filled when it cannot be run. */
int post_handle_run(const struct post_handle *h, struct strerr *e) MUST_CHECK;
/* The last step of a main: runs it, reports, and gives the exit code. */
int post_handle_finish(const char *fatal, const struct post_handle *h);

#endif
