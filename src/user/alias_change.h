/* alias_change: lines of aliases added, changed and removed, as far as the limits of the domain
 * (user/limits.h) allow.  A line to an address of another domain is a forward, any other an alias;
 * each name that has one counts once, names every domain must have (postmaster, abuse ...) do not. */
#ifndef USER_ALIAS_CHANGE_H
#define USER_ALIAS_CHANGE_H

#include "user/site.h"

struct alias_change {
  const char *name, *domain; /* which may be an alias domain */
  const char *old;           /* null: line is added */
  const char *line;          /* null: old is removed */
};

/* In one transaction, as the mail user with the database open.  EXISTS: the alias has this line
 * already; NONE: there is no such line, or no such domain; TEMPFAIL permanent: the limits. */
enum userdb_result alias_change(struct site *s, const struct alias_change *c, struct strerr *e) MUST_CHECK;

#endif
