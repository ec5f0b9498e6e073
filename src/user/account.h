/* account: one user as a whole: the database row and the home directory. */
#ifndef USER_ACCOUNT_H
#define USER_ACCOUNT_H

#include "user/site.h"

struct account_new {
  const struct address *address;
  const char *hash, *scram, *gecos;
  const struct quota *quota; /* null: the domain's, or the site's */
  int active;
  const char *base;   /* -B: directory the homes are below; "" the domain's */
  int balance;        /* -b: the file system with the most room instead (user/fstab.h) */
  uint64_t per_level; /* users a directory */
  int create;         /* make the Maildir now rather than at the first delivery */
};

/* The database is opened here.  0, or -1 with e filled (permanent: the user exists, or
 * the domain does not). */
int account_add(struct site *s, const struct account_new *n, struct strerr *e) MUST_CHECK;
/* The user's mail, row, aliases, and the alias lines that name it. */
int account_delete(struct site *s, const struct address *a, struct strerr *e) MUST_CHECK;
int account_passwd(struct site *s, const struct address *a, const char *hash, const char *scram,
                   struct strerr *e) MUST_CHECK;

struct account_move {
  const struct address *from, *to; /* equal: only the place changes */
  const char *base;                /* directory the home is to be below; "" the domain's */
  const char *home;                /* the new one itself; null: one that is free, below base */
  int dry_run;                     /* say where it would go, and change nothing but a counter */
};
/* Another name or another home, with all mail; gives both homes.  A program killed meanwhile
 * leaves a note (user/unfinished.h) by which the next one goes on.  Permanent: no such user, the
 * new name is taken. */
int account_move(struct site *s, const struct account_move *m, stralloc *old, stralloc *new, struct strerr *e) MUST_CHECK;

/* May this text be a user's comment: at most 255 bytes, no colon, no control character? */
int account_gecos_ok(const char *gecos);
/* A group: its comment says so (vgroup).  Mail for it goes to its members and into no mailbox of its own. */
int account_is_group(const struct userdb_user *u);
/* Names whose mailbox the standards ask for. */
int account_is_reserved(const char *name);

#endif
