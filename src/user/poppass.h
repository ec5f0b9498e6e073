/* poppass: the poppassd protocol, in which a user changes a password: user, pass, newpass, quit, and
 * stls.  One program knows whether the old password is right, another one makes the change, both
 * with what they need on descriptor 3 (user/checker.h).  TLS, limits and the connection are those of
 * a login (user/login.h). */
#ifndef USER_POPPASS_H
#define USER_POPPASS_H

#include "user/login.h"

extern const struct login_protocol poppass_protocol;

struct poppass {
  const char *host;    /* in the greeting */
  char *const *check;  /* command line of the program that knows */
  char *const *change; /* and of the one that changes */
};

/* The session that login_start began, to its end.  0; 1 when memory ran out. */
int poppass_serve(struct login *l, const struct poppass *p);

#endif
