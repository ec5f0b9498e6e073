/* accounts: see accounts.h. */
#include "conf/accounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

int accounts_find(const char *name, struct account *a, struct strerr *e) {
  int n = ACCOUNT_GROUPS;
  struct passwd *pw;

  memset(a, 0, sizeof *a);
  if (geteuid() != 0) {
    a->uid = geteuid();
    a->gid = getegid();
    return 0;
  }
  errno = 0;
  pw = getpwnam(name);
  if (!pw && errno) return strerr_sys(e, "unable to look up user ", name, (char *)0);
  if (!pw) {
    strerr_set(e, "there is no user ", name, ": run svctool --config=users", (char *)0);
    e->permanent = 1;
    return -1;
  }
  a->uid = pw->pw_uid;
  a->gid = pw->pw_gid;
  if (getgrouplist(name, pw->pw_gid, a->groups, &n) == -1) n = ACCOUNT_GROUPS;
  a->ngroups = (size_t)n;
  return 0;
}

void accounts_apply(const struct account *a, struct spawn *s) {
  if (geteuid() != 0) return;
  s->set_ids = 1;
  s->uid = a->uid;
  s->gid = a->gid;
  s->groups = a->groups;
  s->ngroups = a->ngroups;
}
