/* login_run: from a checked login to the mail server in its place. */
#ifndef USER_LOGIN_RUN_H
#define USER_LOGIN_RUN_H

#include "user/login.h"

/* Become the mail server as the account's owner, in its home, with the environment
 * that Courier's imapd and pop3d want.  typed: the login name as given.  Home and
 * Maildir are made if they are missing, and the tasks of login_tasks.h run.  Returns
 * only when the server could not be run, -1 with e filled, or is not to be, 1 with
 * l->why; root's rights are gone then. */
int login_run_server(struct login *l, const struct lookup_account *a, const char *typed, const char *tag,
                     struct strerr *e);
/* The same where a module of others has let somebody in ($AUTHADDR) and become the owner, in the home: nothing is
 * asked or made.  Returns only when the server could not be run, -1 with e filled. */
int login_run_for_module(struct login *l, struct strerr *e);
/* Become the first authentication module, credentials on descriptor 3. */
int login_run_modules(struct login *l, const char *tag, struct strerr *e);

#endif
