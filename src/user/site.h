/* site: what every administrator's program of the user database begins with: settings,
 * as whom to work, and the database. */
#ifndef USER_SITE_H
#define USER_SITE_H

#include "conf/conf.h"
#include "user/identity.h"
#include "user/name.h"
#include "user/tree.h"
#include "user/userdb.h"

struct site {
  struct conf conf;
  struct identity mail;
  struct userdb_place place;
  struct userdb db;
  tree_copied_fn copied; /* told of each file a program copies; null: nobody */
  void *copied_ctx;
};

/* Settings and identity; the database is not opened.  0 or -1 with e filled. */
int site_load(struct site *s, struct strerr *e) MUST_CHECK;
/* Open the database as the mail user (identity_enter), updating its schema, and
 * creating it when create is set.  The caller is that user until identity_leave. */
int site_open_db(struct site *s, int create, struct strerr *e) MUST_CHECK;
/* The same, opened only if it is not: for what asks it again and again. */
int site_enter_db(struct site *s, struct strerr *e) MUST_CHECK;
/* By root, before any of these: the directory of a database that is a file, for the mail user.  0 or -1. */
int site_make_directory(const struct site *s, const struct userdb_place *place, struct strerr *e) MUST_CHECK;
/* One administrator's program at a time changes the control files: the descriptor that
 * holds the lock (users/.lock), or -1.  Waits. */
int site_lock(struct strerr *e) MUST_CHECK;
/* -1, with e permanent: what, a colon, why. */
int site_permanent(struct strerr *e, const char *what, const char *why);
/* user@domain, both parts valid as new names: 0, or -1 with e (permanent). */
int site_address(const char *text, struct address *a, struct strerr *e) MUST_CHECK;
/* A domain that is valid as a name: 0, or -1 with e (permanent). */
int site_domain(const char *text, struct strerr *e) MUST_CHECK;
/* Does the setting allowchars let a new user have this name?  0, or -1 with e (permanent). */
int site_new_name(const struct site *s, const struct address *a, struct strerr *e) MUST_CHECK;
/* The directory below which the domain's homes are: its own, or PATH_MAIL. */
int site_base(const char *own, stralloc *base, struct strerr *e) MUST_CHECK;
/* A small file in a domain's directory, read as root where that is what we are: 1, 0 there is
 * none, -1.  Called and left as the mail user. */
#define SITE_PER_LEVEL ".users_per_level"
int site_domain_file(const struct site *s, const char *dir, const char *name, stralloc *text, struct strerr *e) MUST_CHECK;
/* Users a directory in the domain with this directory: its own number, or the site's.  As the mail
 * user.  0 or -1. */
int site_per_level(const struct site *s, const char *dir, uint64_t *number, struct strerr *e) MUST_CHECK;
void site_close(struct site *s);
/* Exit code for an error: 100 if permanent, else 111. */
int site_code(const struct strerr *e);

#endif
