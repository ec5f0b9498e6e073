/* login_pop3: the authorization state of POP3 (RFC 1939; CAPA RFC 2449; STLS RFC 2595;
 * AUTH RFC 5034).  The mail server that takes over answers the last command itself. */
#ifndef USER_LOGIN_POP3_H
#define USER_LOGIN_POP3_H

#include "user/login.h"

extern const struct login_protocol login_pop3_protocol;
void login_pop3(struct login *l, const char *tag);

#endif
