/* account_load: many users of a domain at once, from lines of text (user/user_line.h).
 *
 * All lines are looked at before anything is changed.  Then a thousand users at a time are added in a
 * transaction of their own: whoever is killed meanwhile can begin anew, for users who are there stay as
 * they are. */
#ifndef USER_ACCOUNT_LOAD_H
#define USER_ACCOUNT_LOAD_H

#include "base/progress.h"
#include "base/substdio.h"
#include "user/site.h"

struct account_load {
  const char *domain;
  const struct quota *quota; /* of users whose line has none; null: the domain's, or the site's */
  int active;
  int keep_homes; /* those of the lines, where the mail is; else new ones are chosen */
  struct progress *progress;
  uint64_t added, there; /* filled: users, and those who were there already */
};
/* Lines of in up to its end; empty ones and those that begin with # are left aside.  0, or -1 with e
 * filled: permanent, with the number of the line, when one is no user, or when the limits of the domain
 * are reached. */
int account_load(struct site *s, struct account_load *l, substdio *in, struct strerr *e) MUST_CHECK;

#endif
