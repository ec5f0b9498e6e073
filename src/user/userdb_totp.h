/* userdb_totp: secrets of users who change their passwords with a code by time too (crypt/totp.h).  A secret is
 * kept as it is, for codes are made of it: it never leaves the process that has the database open. */
#ifndef USER_USERDB_TOTP_H
#define USER_USERDB_TOTP_H

#include "user/userdb.h"

struct userdb_totp {
  stralloc secret;
  int64_t created;
  int64_t step; /* of the last code that was used */
};

/* domain is the real one.  NONE: the user has none. */
enum userdb_result userdb_totp_get(struct userdb *db, const char *name, const char *domain, struct userdb_totp *t, struct strerr *e) MUST_CHECK;
/* With the step of the code that showed that the user has the secret too.  EXISTS: there is one; NONE: no such user. */
enum userdb_result userdb_totp_add(struct userdb *db, const char *name, const char *domain, const char *secret, int64_t step, struct strerr *e) MUST_CHECK;
/* The code of this step is used up.  NONE: it was, or a later one. */
enum userdb_result userdb_totp_use(struct userdb *db, const char *name, const char *domain, int64_t step, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_totp_delete(struct userdb *db, const char *name, const char *domain, struct strerr *e) MUST_CHECK;
void userdb_totp_free(struct userdb_totp *t);

#endif
