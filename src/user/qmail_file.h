/* qmail_file: what a user's .qmail names by its place or address, when these change: the home in Maildirs and
 * programs, and addresses that are forwarded to.  Used by the moves of users and domains. */
#ifndef USER_QMAIL_FILE_H
#define USER_QMAIL_FILE_H

#include "base/stralloc.h"
#include "base/strerr.h"

struct qmail_change {
  const char *home, *new_home;       /* directories; the same: none changes */
  const char *address, *new_address; /* a whole address, or "@domain" for all of a domain */
};

/* The codec: 1 with out filled, 0 nothing changes, -1 no memory. */
int qmail_change(const stralloc *text, const struct qmail_change *c, stralloc *out) MUST_CHECK;
/* In the file .qmail of this directory, if there is one; as its owner.  Can be repeated.  0 or -1. */
int qmail_change_file(const char *dir, const struct qmail_change *c, struct strerr *e) MUST_CHECK;

#endif
