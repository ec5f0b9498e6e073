/* domain_part: what the files of domain share among themselves.  Callers hold the lock of
 * site_lock. */
#ifndef USER_DOMAIN_PART_H
#define USER_DOMAIN_PART_H

#include "user/domain.h"

int domain_no_memory(struct strerr *e);
/* The database, opened if it is not, and the mail user: 1; 0 there is none; -1.  Always
 * followed by identity_back. */
int domain_rows_open(struct site *s, struct strerr *e) MUST_CHECK;

/* Is it an alias domain?  1, 0, -1. */
int domain_is_alias(struct site *s, const char *name, struct strerr *e) MUST_CHECK;
int domain_alias_names(struct site *s, const char *name, struct strlist *names, struct strerr *e) MUST_CHECK;

#endif
