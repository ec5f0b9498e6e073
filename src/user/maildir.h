/* maildir: creates mail directories and delivers into them.
 *
 * A delivery is safe against a crash between any two system calls: the message is
 * written to tmp/ under a name nobody else has, synced, moved to new/ without ever
 * replacing a file, and new/ is synced before success is reported.  A reader sees
 * the whole message or none of it.  It is no file without a name (O_TMPFILE) that is linked
 * into new/, though that costs a fifth less: such a file is synced with a link count of 0, and
 * on a file system without a journal the sync of new/ does not write the count that came after. */
#ifndef USER_MAILDIR_H
#define USER_MAILDIR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "user/deliver.h"

/* Make dir with its cur, new and tmp, each with this mode; parents too when
 * parents is set.  What is there already stays: 0, or -1 with e filled. */
int maildir_create(const char *dir, mode_t mode, int parents, struct strerr *e) MUST_CHECK;
/* Bytes that a delivery of msgfd behind a head of this length will have: 0 or -1. */
int maildir_size(int msgfd, size_t headlen, uint64_t *size, struct strerr *e) MUST_CHECK;
/* Deliver head (whole lines: Return-Path, Delivered-To, may be empty) and then all
 * of msgfd from offset 0; msgfd's own offset is neither used nor moved.  The file is
 * new/TIME.MusecPpidQn.host,S=size, mode 0600.  On failure nothing is left in new/.
 * A directory without cur, new and tmp is DELIVER_TEMP, with e->sys ENOENT. */
enum deliver_result maildir_deliver(const char *dir, int msgfd, const char *head, size_t headlen,
                                    struct strerr *e) MUST_CHECK;
/* The unique part of a new name, without size or suffix: TIME.MusecPpidQn.host, where
 * slashes and colons of the host are written \057 and \072.  1, or 0 (memory). */
int maildir_name(stralloc *name, int64_t now_us, pid_t pid, unsigned n, const char *host) MUST_CHECK;

#endif
