/* catchall: whether a virtual domain has use for a name that is neither user nor alias.
 * qmail-local decides that by the .qmail files of the domain's directory; this asks the
 * same question without a message. */
#ifndef USER_CATCHALL_H
#define USER_CATCHALL_H

#include "base/strerr.h"
#include "user/userdb.h"

/* FOUND: mail for the name goes somewhere; NONE: it would bounce; TEMPFAIL with e filled:
 * the directory does not say. */
enum userdb_result catchall_find(const char *dir, const char *user, struct strerr *e) MUST_CHECK;

#endif
