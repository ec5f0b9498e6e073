/* domain_turn: domains whose mail only passes through here, and whose servers ask for it (ETRN; ATRN): they stand in
 * control files, and have no directory, no users and no rows. */
#ifndef USER_DOMAIN_TURN_H
#define USER_DOMAIN_TURN_H

#include "user/site.h"

/* List it in etrnhosts, in chkrcptdomains where that is wanted, and, last, in rcpthosts; it is taken out of locals.
 * 0, or -1 with e filled (permanent: it is a virtual domain, or there already). */
int domain_turn_add(struct site *s, const char *name, int check_rcpt, struct strerr *e) MUST_CHECK;
/* Takes it out of all of them, and of odmrhosts: 0, or -1 with e filled (permanent: it is no such domain). */
int domain_turn_remove(struct site *s, const char *name, struct strerr *e) MUST_CHECK;

#endif
