/* identity_find: the part of identity.h that reads the password file. */
#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "conf/accounts.h"
#include "user/identity.h"

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
