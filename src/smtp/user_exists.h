/* user_exists: what inlookup knows of an address in one of our virtual domains. */
#ifndef SMTP_USER_EXISTS_H
#define SMTP_USER_EXISTS_H

#include "smtp/session.h"

enum user_exists {
  USER_YES,
  USER_UNKNOWN, /* the domain is not one of the user database: nobody can say */
  USER_NO,
  USER_INACTIVE,
  USER_OVERQUOTA,
  USER_FAILED, /* e filled */
};
/* Is it an address inlookup can be asked about: its domain in virtualdomains, not in locals, and
 * without a line of its own? */
int user_is_virtual(const struct conf *conf, const struct smtp_path *p);
/* Ask.  Blocks for timeoutread. */
enum user_exists user_exists(struct lookup *l, const struct conf *conf, const struct smtp_path *p, struct strerr *e)
    MUST_CHECK;

#endif
