/* user_report: what is known of a user, as fields of a report (vuserinfo). */
#ifndef USER_USER_REPORT_H
#define USER_USER_REPORT_H

#include "base/report.h"
#include "user/site.h"

enum {
  SHOW_NAME = 1,
  SHOW_PASSWD = 2, /* the kind of its hash */
  SHOW_UID = 4,
  SHOW_GID = 8, /* and flags */
  SHOW_GECOS = 16,
  SHOW_DIR = 32,
  SHOW_QUOTA = 64,
  SHOW_LAST = 128, /* logins, state, aliases of that name */
  SHOW_MAILBOX = 256,
  SHOW_ALL = 511
};

/* The fields of these bits, into the record that was begun.  The database is opened if it is not.
 * 0, or -1. */
int user_report(struct site *s, const struct userdb_user *u, unsigned what, struct report *r, struct strerr *e) MUST_CHECK;

#endif
