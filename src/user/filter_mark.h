/* filter_mark: the empty file vfilter in the mailbox of a user who has rules of vfilter(8), for programs of
 * others that read mailboxes.  Ours ask the database: what it says counts, not the file. */
#ifndef USER_FILTER_MARK_H
#define USER_FILTER_MARK_H

#include "user/site.h"

/* Makes the file what the database says, which is open; the Maildir too, where there are rules.  domain is the
 * real one.  Nothing is done where the name is no user's.  The caller is himself again afterwards.  0, or -1
 * with e filled. */
int filter_mark(struct site *s, const char *name, const char *domain, struct strerr *e) MUST_CHECK;

#endif
