/* qmail-getpw: finds the account of the password file that a local part belongs to,
 * for qmail-lspawn.  Prints user, uid, gid, home, dash and extension, each ended by a
 * NUL.  The account "alias" takes what is nobody's. */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "conf/paths.h"

#define FATAL "qmail-getpw: fatal: "
#define USAGE "qmail-getpw local"
#define ACCOUNT_MAX 32
#define BREAK '-'

enum { STAT_TROUBLE = 115, NO_ALIAS = 116, BUSY = 118 };

/* The account of this name, if it is one that gets mail: a user's, not root's, under
 * the name it is known by, with a home that is its own. */
static int find_account(const char *name, struct passwd *pw, char *buf, size_t size) {
  struct passwd *found;
  struct stat st;
  int r = getpwnam_r(name, pw, buf, size, &found);

  if (r == EINTR || r == EIO || r == EMFILE || r == ENFILE || r == ENOMEM || r == ETIMEDOUT || r == EAGAIN) _exit(BUSY);
  if (r || !found || !pw->pw_uid || strcmp(pw->pw_name, name) != 0) return 0;
  if (stat(pw->pw_dir, &st) == 0) return st.st_uid == pw->pw_uid;
  if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return 0;
  _exit(STAT_TROUBLE);
}

static void print(const char *user, uid_t uid, gid_t gid, const char *home, const char *dash, const char *ext) {
  stralloc line = STRALLOC_INIT;

  if (!stralloc_catz(&line, user, strlen(user)) || !stralloc_catu64(&line, uid) || !stralloc_catz(&line, "", 0) ||
      !stralloc_catu64(&line, gid) || !stralloc_catz(&line, "", 0) || !stralloc_catz(&line, home, strlen(home)) ||
      !stralloc_catz(&line, dash, strlen(dash)) || !stralloc_catz(&line, ext, strlen(ext)))
    strerr_die_nomem(FATAL);
  if (fd_write_all(1, line.s, line.len) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  _exit(0);
}

/* The whole local part, then what stands before each break, from the right. */
static void try_accounts(const char *local, char *buf, size_t size) {
  size_t n = strlen(local);
  stralloc name = STRALLOC_INIT;
  struct passwd pw;

  for (size_t i = n + 1; i-- > 0;) {
    if (i != n && local[i] != BREAK) continue;
    if (!i || i > ACCOUNT_MAX) continue;
    if (!stralloc_copyb(&name, local, i)) strerr_die_nomem(FATAL);
    bytes_lower(name.s, name.len);
    if (find_account(name.s, &pw, buf, size))
      print(pw.pw_name, pw.pw_uid, pw.pw_gid, pw.pw_dir, i < n ? "-" : "", i < n ? local + i + 1 : "");
  }
  stralloc_free(&name);
}

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);
  char buf[16384];
  stralloc home = STRALLOC_INIT;
  struct passwd pw, *found;

  try_accounts(argv[i], buf, sizeof buf);
  if (!paths_get(PATH_ALIAS, &home)) strerr_die_nomem(FATAL);
  if (getpwnam_r("alias", &pw, buf, sizeof buf, &found)) _exit(BUSY);
  if (!found) _exit(NO_ALIAS);
  print(pw.pw_name, pw.pw_uid, pw.pw_gid, home.s, "-", argv[i]);
}
