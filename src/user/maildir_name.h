/* maildir_name: what files of a mail directory are called.  Both end in the host, where slashes and colons are
 * written \057 and \072; neither has a size or a suffix yet.  1, or 0 (memory). */
#ifndef USER_MAILDIR_NAME_H
#define USER_MAILDIR_NAME_H

#include <stdint.h>
#include <sys/types.h>

#include "base/stralloc.h"

/* Of the n-th file made by this process at this moment: TIME.MusecPpidQn.host. */
int maildir_name(stralloc *name, int64_t now_us, pid_t pid, unsigned n, const char *host) MUST_CHECK;
/* Does this id of a message (queue/messid.h) begin with the time it came, in microseconds?  1 or 0. */
int maildir_name_timed(const char *messid, int64_t *us);
/* Of the n-th message with this id and these lines before it: the same whenever it is delivered, TIME.MusecPsumQsum.host
 * with the time it came and sums of both. */
int maildir_name_of(stralloc *name, const char *messid, const char *head, size_t headlen, unsigned n, const char *host) MUST_CHECK;

#endif
