/* identity: see identity.h. */
#include "user/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "conf/accounts.h"

#define BUFFER 16384

int identity_find(const char *account, struct identity *id, struct strerr *e) {
  char buf[BUFFER];
  struct passwd pw, *found;
  int r = getpwnam_r(account, &pw, buf, sizeof buf, &found);

  if (r) {
    errno = r;
    return strerr_sys(e, "unable to look up the account ", account, (char *)0);
  }
  if (!found) return 0;
  id->uid = pw.pw_uid;
  id->gid = pw.pw_gid;
  return 1;
}

int identity_mail(const char *account, struct identity *id, struct strerr *e) {
  struct account a;

  if (accounts_find(account, &a, e) == -1) return -1;
  if (geteuid() == 0 && a.uid == 0) return strerr_set(e, "the account ", account, " must not be root", (char *)0);
  id->uid = a.uid;
  id->gid = a.gid;
  return 0;
}

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
