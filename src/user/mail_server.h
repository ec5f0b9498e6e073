/* mail_server: the IMAP and POP3 servers that take over after a login, and what each wants to be told:
 * another server is another row. */
#ifndef USER_MAIL_SERVER_H
#define USER_MAIL_SERVER_H

#include "base/env.h"
#include "base/strlist.h"
#include "user/login.h"

struct mail_server;
/* That of control/mailserver; null where there is none of that name. */
const struct mail_server *mail_server_find(const struct conf *conf);
/* What its IMAP server offers, before anybody has asked it ($IMAP_CAPABILITY). */
const char *mail_server_capability(const struct mail_server *s);
/* Its variables into env, which has what all servers get (user/login_run.c): 1 or 0 (memory). */
int mail_server_environment(const struct mail_server *s, const struct login *l, struct env *env) MUST_CHECK;
/* Its command line, from l->argv and the account's quota, appended to args: 1 or 0 (memory). */
int mail_server_arguments(const struct mail_server *s, const struct login *l, const struct lookup_account *a, struct strlist *args) MUST_CHECK;
/* What we have to say of the login because the server does not; null where it does. */
const char *mail_server_greeting(const struct mail_server *s, const struct login *l);

#endif
