/* maildirsize: the quota of a Maildir (Maildir++), kept in the file maildirsize as
 * Courier and Dovecot keep it: first line the quota, then lines "bytes messages" whose
 * sum is the usage.  Appending is one write; recounting writes a new file and renames
 * it.  What counts by default is what counts for them: all messages but those in the folder
 * Trash and those marked as trashed.  The mailbox belongs to its user: nothing in it is trusted, links are not
 * followed. */
#ifndef USER_MAILDIRSIZE_H
#define USER_MAILDIRSIZE_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "user/quota.h"

#define MAILDIRSIZE_FILE_MAX 8192 /* a longer file is recounted */
#define MAILDIRSIZE_AGE 43200     /* so is one not written for so many seconds */

struct usage {
  int64_t bytes, count;
};

struct maildirsize_rules {
  int trash; /* what is in Trash or marked as trashed counts too (include_trash) */
  int fast;  /* the file's sum is believed whatever its age, and kept short without counting (fast_quota) */
};
struct maildirsize_rules maildirsize_rules(const struct conf *conf);

/* The file's text: 1 with quota and sum, 0 if it is no such file (cut, overflowing,
 * negative in sum, a line that is not two numbers).  lines: how many deltas. */
int maildirsize_parse(const char *s, size_t n, struct quota *q, struct usage *u, size_t *lines);
/* Count the messages of cur and new of the Maildir and its folders.  0, or -1 with e filled. */
int maildirsize_count(const char *maildir, const struct maildirsize_rules *rules, struct usage *u, struct strerr *e) MUST_CHECK;
/* The usage, from the file where it can be believed (and its quota is q), else by
 * counting and writing the file.  certain: it was counted now, or within 15 minutes
 * and nothing was added since, or nothing but the file is to be asked.  fresh: count in any case. */
int maildirsize_usage(const char *maildir, const struct quota *q, const struct maildirsize_rules *rules, int fresh, struct usage *u,
                      int *certain, struct strerr *e) MUST_CHECK;
/* The quota that the file's first line says: 1, 0 where there is no such file or line, -1. */
int maildirsize_quota(const char *maildir, struct quota *q, struct strerr *e) MUST_CHECK;
/* Would so many messages of so many bytes fit?  Counts again before saying no, unless
 * the usage is certain.  1, 0 no, -1. */
int maildirsize_fits(const char *maildir, const struct quota *q, const struct maildirsize_rules *rules, uint64_t bytes, uint64_t count,
                     struct usage *u, struct strerr *e) MUST_CHECK;
/* Does what is in this folder (".Trash"; null or "": the Maildir itself) count? */
int maildirsize_counts(const char *folder, const struct maildirsize_rules *rules);
/* Add to the sum; a file that is not there stays away.  0 or -1. */
int maildirsize_add(const char *maildir, int64_t bytes, int64_t count, struct strerr *e) MUST_CHECK;

#endif
