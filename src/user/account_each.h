/* account_each: the users of a domain, or of all domains, one after the other. */
#ifndef USER_ACCOUNT_EACH_H
#define USER_ACCOUNT_EACH_H

#include "base/progress.h"
#include "user/site.h"

/* Adds the real name of domain, or (null) those of all.  The database is opened if it is not, the caller is himself
 * again afterwards.  0, or -1 (permanent: no such domain). */
int account_domains(struct site *s, const char *domain, struct strlist *domains, struct strerr *e) MUST_CHECK;

/* A user, as the caller himself and with no query under way: 0, 1 that is enough, or -1. */
typedef int (*account_each_fn)(void *ctx, const struct userdb_user *u, struct strerr *e);

/* Calls fn for each user of domain (which may be an alias domain; null: of all), by name, and steps
 * p for each.  The database is opened if it is not.  0, or -1 (permanent: no such domain), at once
 * where fn gives that. */
int account_each(struct site *s, const char *domain, struct progress *p, account_each_fn fn, void *ctx, struct strerr *e) MUST_CHECK;

#endif
