/* ldap_login: is a password right, as a directory (LDAP) says?  The entry of the user is searched for,
 * then we log in as that entry with the password: no hash leaves the directory.  TLS unless the
 * administrator says otherwise, and the server's certificate must be valid for its name. */
#ifndef USER_LDAP_LOGIN_H
#define USER_LDAP_LOGIN_H

#include "conf/conf.h"
#include "user/checker.h"

/* By the settings of CONF_LDAP and CONF_LOGIN.  a is filled as far as the entry has ids and home: *has_ids says
 * whether it does. */
enum checker_verdict ldap_login(const struct conf *conf, const char *user, const char *password, struct checker_account *a,
                                int *has_ids, struct strerr *e);

#endif
