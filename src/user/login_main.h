/* login_main: the mains of imaplogin, pop3login, proxyimap and proxypop3, which differ in a row. */
#ifndef USER_LOGIN_MAIN_H
#define USER_LOGIN_MAIN_H

#include "user/login.h"

struct login_program {
  const char *name;
  const char *usage;
  const struct login_protocol *protocol;
  void (*run)(struct login *l, const char *tag); /* speaks the protocol until the end */
  int proxy; /* the mailboxes may be on another host (user/login_proxy.h) */
};
/* Its exit code; writes why it could not start. */
int login_main(const struct login_program *p, int argc, char **argv) MUST_CHECK;

#endif
