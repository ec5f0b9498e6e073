/* mail_list: which messages a home had when it was copied to another file system, so that what a client deletes in
 * one of the two places meanwhile does not come back from the other.  The list is a file, written when the copy is
 * whole and removed when both places are settled. */
#ifndef USER_MAIL_LIST_H
#define USER_MAIL_LIST_H

#include "base/strerr.h"

/* All messages below home, in any of its Maildirs and folders, into the file at path.  0, or -1 with e filled. */
int mail_list_write(const char *home, const char *path, struct strerr *e) MUST_CHECK;
/* Of the messages in the list: what is in only one of the two homes, whatever its flags, was deleted (or moved on) in the
 * other, and goes.  Without a list nothing is done.  Can be repeated as long as neither home is taken apart; then the list
 * has to be gone.  0, or -1 with e filled. */
int mail_list_settle(const char *path, const char *old, const char *new, struct strerr *e) MUST_CHECK;
/* Durably; fine when there is none.  0, or -1 with e filled. */
int mail_list_remove(const char *path, struct strerr *e) MUST_CHECK;

#endif
