/* login_proxy: logins whose mailboxes are on another host (user/store.h): the password is said there, and
 * then everything is copied both ways. */
#ifndef USER_LOGIN_PROXY_H
#define USER_LOGIN_PROXY_H

#include "user/login.h"
#include "user/store.h"

/* After login_start: passwords of l are judged at the store, if the settings name one; else they are
 * judged and users are served here.  place, empty, is filled and has to outlive l.  0, or -1 with e
 * filled. */
int login_proxy_start(struct login *l, struct store_place *place, struct strerr *e) MUST_CHECK;

#endif
