/* tree: directories of domains and users, made and removed. */
#ifndef USER_TREE_H
#define USER_TREE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/strerr.h"
#include "base/stralloc.h"

/* Remove a directory and all below it, following no link and leaving no file system:
 * 0 (also when there is none), or -1 with e filled. */
int tree_remove(const char *path, struct strerr *e) MUST_CHECK;
/* Remove directories below path that hold nothing, and whose names and those of all between fit, down to
 * this depth; path itself stays.  Follows no link, leaves no file system.  0 (also when there is none) or -1. */
int tree_prune(const char *path, int (*fits)(const char *name), int depth, struct strerr *e) MUST_CHECK;
/* A directory of this mode and owner (ids only when we are root).  One that is there
 * already stays as it is.  0 or -1. */
int tree_mkdir(const char *path, mode_t mode, uid_t uid, gid_t gid, struct strerr *e) MUST_CHECK;
/* Copy what is in from and not yet in to, which is made if it is missing: files with mode and
 * times, links as links, each file synced before the next.  Entries that are there stay; a message that is
 * there with other flags (":2,") gets those it has in from as well.  Follows
 * no link, leaves no file system.  copied (null: nobody wants it) is called after each file with
 * its bytes.  0 or -1. */
typedef void (*tree_copied_fn)(void *ctx, uint64_t bytes);
int tree_copy(const char *from, const char *to, tree_copied_fn copied, void *ctx, struct strerr *e) MUST_CHECK;

#endif
