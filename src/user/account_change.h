/* account_change: what an administrator changes of a user who is there. */
#ifndef USER_ACCOUNT_CHANGE_H
#define USER_ACCOUNT_CHANGE_H

#include "user/maildirsize.h"
#include "user/site.h"

enum flags_how { FLAGS_SET, FLAGS_TOGGLE };

struct account_change {
  const char *gecos; /* null: as it is */
  const char *quota; /* user/quota.h, or +bytes or -bytes; null: as it is */
  int toggle_active;
  uint32_t flags; /* of user/userdb.h */
  enum flags_how how;
  int clear; /* all flags first */
};

/* In one transaction; u gets what is there afterwards.  The database is opened here, the caller is
 * himself again afterwards.  0, or -1 with e filled (permanent: no such user, no such quota). */
int account_change(struct site *s, const struct address *a, const struct account_change *c, struct userdb_user *u, struct strerr *e) MUST_CHECK;
/* Make the mailbox's maildirsize say this quota, counted now: 0 with *usage filled, 1 for a mailbox
 * that nobody has used yet, or -1.  A flag that was set because it was full goes when it is no longer. */
int account_recount(struct site *s, const struct userdb_user *u, struct usage *usage, struct strerr *e) MUST_CHECK;

#endif
