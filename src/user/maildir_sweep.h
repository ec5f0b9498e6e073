/* maildir_sweep: old messages of a Maildir removed.  The mailbox belongs to its user: links are not
 * followed.  Whoever sweeps works as that user, and counts the quota again afterwards. */
#ifndef USER_MAILDIR_SWEEP_H
#define USER_MAILDIR_SWEEP_H

#include <stdint.h>

#include "base/strerr.h"
#include "user/maildirsize.h"

struct sweep {
  const char *folder; /* as users see it, "Trash"; null: the inbox and all folders */
  int64_t before;     /* messages delivered before this (their file's time) */
  int unread;         /* only those that nobody has read: in new, or without the flag S */
  int dry;            /* only count */
};

/* Adds to swept what was (or would be) removed.  No such Maildir or folder is nothing to sweep.
 * 0, or -1. */
int maildir_sweep(const char *maildir, const struct sweep *s, struct usage *swept, struct strerr *e) MUST_CHECK;
/* May this be a folder's name: without its dot one component of a path? */
int maildir_sweep_folder_ok(const char *folder);

#endif
