/* login_sasl: SASL in IMAP (AUTHENTICATE, RFC 3501 6.2.2, RFC 4959) and POP3 (AUTH, RFC 5034),
 * which carry it the same way. */
#ifndef USER_LOGIN_SASL_H
#define USER_LOGIN_SASL_H

#include "user/login.h"

/* The mechanisms offered now, each with before in front, appended: 1 or 0 (memory). */
int login_sasl_list(const struct login *l, const char *before, stralloc *out) MUST_CHECK;
/* The exchange, and what follows a login: returns only when that did not work.  initial: the
 * initial response as sent ("=" for an empty one), or null; it and the mechanism's name do not lie in
 * l->line, where the client's answers go.  tag as in login_try. */
enum login_verdict login_sasl(struct login *l, const char *mechanism, const char *initial, const char *tag);

#endif
