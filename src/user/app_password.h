/* app_password: further passwords of a user, one for each program or device, that serve only for
 * the services named, and can be taken back one by one.  They are made here, long and at random,
 * so that one quick digest is enough to keep of each. */
#ifndef USER_APP_PASSWORD_H
#define USER_APP_PASSWORD_H

#include "user/userdb.h"

#define APP_PASSWORD_LETTERS 24 /* of 57: 140 bits */

/* services: names with blanks between them.  The password made is in out; EXISTS: the label is
 * taken; NONE: no such user. */
enum userdb_result app_password_add(struct userdb *db, const char *name, const char *domain, const char *label,
                                    const char *services, stralloc *out, struct strerr *e) MUST_CHECK;
enum userdb_result app_password_delete(struct userdb *db, const char *name, const char *domain, const char *label,
                                       struct strerr *e) MUST_CHECK;
/* FOUND: it is one of this user's, for this service; that it was used is remembered. */
enum userdb_result app_password_check(struct userdb *db, const char *name, const char *domain, const char *password,
                                      const char *service, struct strerr *e) MUST_CHECK;
/* used: 0 never; times in seconds since 1970. */
typedef int (*app_password_fn)(void *ctx, const char *label, const char *services, int64_t created, int64_t used);
enum userdb_result app_password_each(struct userdb *db, const char *name, const char *domain, app_password_fn fn, void *ctx,
                                     struct strerr *e) MUST_CHECK;

#endif
