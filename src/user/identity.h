/* identity: as whom the programs of the user database work.  Started by root they
 * work as the mail user (control: mailuser, usually indimail), or as the owner of a
 * domain; started by anybody else, everything belongs to that user and no ids are
 * switched. */
#ifndef USER_IDENTITY_H
#define USER_IDENTITY_H

#include <sys/types.h>

#include "base/strerr.h"
#include "base/stralloc.h"

struct identity {
  uid_t uid;
  gid_t gid;
};

/* The account's ids: 1, 0 if there is no such account, -1 with e filled. */
int identity_find(const char *account, struct identity *id, struct strerr *e) MUST_CHECK;
/* The mail user: of root the account, of others themselves.  0 or -1. */
int identity_mail(const char *account, struct identity *id, struct strerr *e) MUST_CHECK;
/* Become it for good, groups included: 0 or -1.  Nothing to do for others than root. */
int identity_become(const struct identity *id, struct strerr *e) MUST_CHECK;
/* Work as it for a while, and be root again: for files below directories that belong
 * to it.  Nothing to do for others than root. */
int identity_enter(const struct identity *id, struct strerr *e) MUST_CHECK;
int identity_leave(struct strerr *e) MUST_CHECK;
/* The same at the end of what gave r: r, or -1 with e filled anew. */
int identity_back(int r, struct strerr *e) MUST_CHECK;

#endif
