/* identity: see identity.h.  The part that needs no password file, for programs that
 * are linked statically. */
#include "user/identity.h"

#include <grp.h>
#include <unistd.h>

int identity_become(const struct identity *id, struct strerr *e) {
  if (geteuid() != 0) return 0;
  if (setgroups(1, &id->gid) == -1 || setresgid(id->gid, id->gid, id->gid) == -1 ||
      setresuid(id->uid, id->uid, id->uid) == -1)
    return strerr_sys(e, "unable to give up root", (char *)0);
  return 0;
}

int identity_enter(const struct identity *id, struct strerr *e) {
  if (geteuid() != 0) return 0;
  if (setgroups(1, &id->gid) == -1 || setegid(id->gid) == -1 || seteuid(id->uid) == -1)
    return strerr_sys(e, "unable to work as the mail user", (char *)0);
  return 0;
}

int identity_leave(struct strerr *e) {
  if (getuid() != 0) return 0;
  if (seteuid(0) == -1 || setegid(0) == -1) return strerr_sys(e, "unable to be root again", (char *)0);
  return 0;
}

int identity_back(int r, struct strerr *e) {
  struct strerr back;

  if (identity_leave(&back) == 0) return r;
  *e = back;
  return -1;
}
