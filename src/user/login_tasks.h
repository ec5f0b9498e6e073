/* login_tasks: what the administrator has done with a user who has just logged in, before the mail
 * server runs: $POSTAUTH each time, $MIGRATEUSER once, and bulletins that wait for him
 * (user/bulletin_wait.h). */
#ifndef USER_LOGIN_TASKS_H
#define USER_LOGIN_TASKS_H

#include "user/login.h"

enum login_task {
  TASK_NONE,   /* go on */
  TASK_ASIDE,  /* the session gets another home: $TMP_MAILDIR, if that is set */
  TASK_REFUSE, /* the session ends; l->why says why */
};
/* Runs them as the account's owner, who we are by now, in its home, with the environment given and
 * PWSTRUCT.  What goes wrong is logged, and keeps nobody out.  Blocks while they run, for a minute each
 * at most. */
enum login_task login_tasks(struct login *l, const struct lookup_account *a, const struct env *env);

#endif
