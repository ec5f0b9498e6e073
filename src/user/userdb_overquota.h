/* userdb_overquota: mailboxes that hold more than they may.  Mail for them is refused while the server that brings it is
 * still there: the flag bounce_mail, which an administrator may have set for other reasons; a row of userquota with a
 * usage above 0 says that it is ours. */
#ifndef USER_USERDB_OVERQUOTA_H
#define USER_USERDB_OVERQUOTA_H

#include "user/userdb.h"

/* Was it found over quota, and when: FOUND with *at; NONE: the flag, if it is set, is the administrator's. */
enum userdb_result userdb_overquota_get(struct userdb *db, const char *name, const char *domain, int64_t *at, struct strerr *e) MUST_CHECK;
/* It holds so many bytes, too many; or, bytes 0, no longer.  domain is the real one.  A flag of the administrator's stays.
 * FOUND it is so now; NONE there is no such user, or nothing to change. */
enum userdb_result userdb_overquota_set(struct userdb *db, const char *name, const char *domain, int64_t bytes, struct strerr *e) MUST_CHECK;
/* Within a transaction of the caller's: the flag is the administrator's from now on. */
enum userdb_result userdb_overquota_forget(struct userdb *db, const char *name, const char *domain, struct strerr *e) MUST_CHECK;

#endif
