/* maildir: creates mail directories and delivers into them.
 *
 * A delivery is written to tmp/ under a name nobody else has, moved to new/ without ever replacing a
 * message, and on disk with that name before success is reported; a reader of a system that runs sees
 * the whole message or none of it.
 *
 * A message of a queue (its id is known) is in new/ before it is synced, for until we report success
 * the queue keeps it: after a power loss it is delivered again.  It gets the same name then, and takes
 * the place of what is there from the first time: the same, or what a disk makes of a file that was not
 * synced, shorter or with zeros for data.  Anything else keeps its place.  So there is one sync where the
 * file system keeps the name with the file (base/fsname.h), and two elsewhere.  A message that nobody
 * would deliver again is synced in tmp/ before it is moved.
 *
 * It is no file without a name (O_TMPFILE): linked into new/ before its sync that would be as safe, but it is no
 * faster, and wants /proc to be linked. */
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
 * of msgfd from offset 0; msgfd's own offset is neither used nor moved.  messid: of a message
 * that is delivered again unless we report success (queue/messid.h); "": there is none.  The file
 * is new/NAME,S=size with a name of user/maildir_name.h, mode 0600.  On failure nothing is left in
 * new/.  A directory without cur, new and tmp is DELIVER_TEMP, with e->sys ENOENT. */
enum deliver_result maildir_deliver(const char *dir, int msgfd, const char *head, size_t headlen, const char *messid,
                                    struct strerr *e) MUST_CHECK;

#endif
