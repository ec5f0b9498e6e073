/* login_imap: the not authenticated state of IMAP (RFC 3501 6.1, 6.2; SASL-IR RFC 4959;
 * ID RFC 2971).  The mail server that takes over answers the tagged OK itself. */
#ifndef USER_LOGIN_IMAP_H
#define USER_LOGIN_IMAP_H

#include "user/login.h"

extern const struct login_protocol login_imap_protocol;
/* Speak until the client is logged in (then we are the server) or gone.  tag: as
 * login_start gave it. */
void login_imap(struct login *l, const char *tag);

#endif
