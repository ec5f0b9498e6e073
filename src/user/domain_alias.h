/* domain_alias: another name of a virtual domain: a row of the database, from which everybody who
 * looks up an address learns its real domain, and lines in virtualdomains and rcpthosts. */
#ifndef USER_DOMAIN_ALIAS_H
#define USER_DOMAIN_ALIAS_H

#include "user/site.h"

/* Row, virtualdomains, and last rcpthosts, which lets mail in; each may be done again.  0, or -1 with
 * e filled (permanent: there is no such domain, or the name is taken). */
int domain_alias_add(struct site *s, const char *alias, const char *domain, struct strerr *e) MUST_CHECK;
/* The other way: 1 removed, 0 it is no such name, -1.  The caller holds the lock of site_lock. */
int domain_alias_remove(struct site *s, const char *alias, struct strerr *e) MUST_CHECK;
/* The lines of the control files alone, added or removed.  0 or -1. */
int domain_alias_controls(const char *alias, const char *real, int add, struct strerr *e) MUST_CHECK;

#endif
