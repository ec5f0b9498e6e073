/* site: what every administrator's program of the user database begins with: settings,
 * as whom to work, and the database. */
#ifndef USER_SITE_H
#define USER_SITE_H

#include "conf/conf.h"
#include "user/identity.h"
#include "user/name.h"
#include "user/userdb.h"

struct site {
  struct conf conf;
  struct identity mail;
  struct userdb_place place;
  struct userdb db;
};

/* Settings and identity; the database is not opened.  0 or -1 with e filled. */
int site_load(struct site *s, struct strerr *e) MUST_CHECK;
/* Open the database as the mail user (identity_enter), updating its schema, and
 * creating it when create is set.  The caller is that user until identity_leave. */
int site_open_db(struct site *s, int create, struct strerr *e) MUST_CHECK;
/* One administrator's program at a time changes the control files: the descriptor that
 * holds the lock (users/.lock), or -1.  Waits. */
int site_lock(struct strerr *e) MUST_CHECK;
/* user@domain, both parts valid as new names: 0, or -1 with e (permanent). */
int site_address(const char *text, struct address *a, struct strerr *e) MUST_CHECK;
/* The directory below which the domain's homes are: its own, or PATH_MAIL. */
int site_base(const char *own, stralloc *base, struct strerr *e) MUST_CHECK;
void site_close(struct site *s);
/* Exit code for an error: 100 if permanent, else 111. */
int site_code(const struct strerr *e);

#endif
