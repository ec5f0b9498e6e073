/* ldap_filter: a search filter of LDAP (RFC 4515) with a login name filled in. */
#ifndef USER_LDAP_FILTER_H
#define USER_LDAP_FILTER_H

#include "base/stralloc.h"

/* pattern with %u (what stands before the last @), %h (what stands behind it, or domain where there is
 * none), %e (both with an @ between) and %% replaced.  Every byte of the login that could mean something
 * in a filter stands as \XX, so the filter has the form the pattern gives it whatever the login.
 * 1, 0 when the pattern has another % or memory ran out. */
int ldap_filter(const char *pattern, const char *login, const char *domain, stralloc *out) MUST_CHECK;

#endif
