/* old_users: users who have not logged in for long, and mail that nobody has read for long: found,
 * and done away with as the administrator wants (vdeloldusers). */
#ifndef USER_OLD_USERS_H
#define USER_OLD_USERS_H

#include "base/strlist.h"
#include "user/account_each.h"
#include "user/maildirsize.h"

enum old_action { OLD_REPORT, OLD_PURGE, OLD_INACTIVATE, OLD_CLEAN };

struct old_users {
  const char *domain; /* null: all */
  enum old_action action;
  int dry;          /* say what would be done */
  int force;        /* the login alone counts, not when the mailbox was last changed */
  uint64_t days;    /* since the last login */
  uint64_t unread;  /* days a message may stay unread; 0: for ever */
  uint64_t trash;   /* days a message stays in the folders; 0: for ever */
  struct strlist folders, spared; /* names; comments of users who are left alone */
  int64_t now;
  /* Told what is (or would be) done: days since the last login, and what of the mail. */
  void (*tell)(void *ctx, const struct userdb_user *u, const char *what, int64_t days, const struct usage *mail);
  /* Told what went wrong with one user: the others go on. */
  void (*fault)(void *ctx, const struct strerr *e);
  /* Not 0: that is enough. */
  int (*stop)(void *ctx);
  void *ctx;
  struct progress progress;
};

/* Not of two at once.  0, or -1 where it cannot go on. */
int old_users_run(struct site *s, struct old_users *o, struct strerr *e) MUST_CHECK;

#endif
