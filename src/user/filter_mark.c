/* filter_mark: see filter_mark.h.  The mailbox is its user's: its files are changed as him. */
#include "user/filter_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "user/maildir.h"
#include "user/userdb_filter.h"

static int one_is_enough(void *ctx, const struct userdb_filter *f) {
  (void)ctx;
  (void)f;
  return 1;
}

static int write_mark(const char *maildir, const char *mark, int has, struct strerr *e) {
  int fd;

  if (!has) return unlink(mark) == 0 || errno == ENOENT || errno == ENOTDIR ? 0 : strerr_sys(e, "unable to remove ", mark, (char *)0);
  if (maildir_create(maildir, 0700, 1, e) == -1) return -1;
  fd = open(mark, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  if (fd == -1) return strerr_sys(e, "unable to write ", mark, (char *)0);
  fd_close(fd);
  return 0;
}

int filter_mark(struct site *s, const char *name, const char *domain, struct strerr *e) {
  struct userdb_user u = {0};
  stralloc maildir = STRALLOC_INIT, mark = STRALLOC_INIT;
  enum userdb_result found = userdb_user_get(&s->db, name, domain, &u, e);
  enum userdb_result rules = found == USERDB_FOUND ? userdb_filter_each(&s->db, name, domain, one_is_enough, 0, e) : found;
  struct identity owner = {u.uid, u.gid};
  int r = identity_back(rules == USERDB_TEMPFAIL ? -1 : 0, e);

  if (r == 0 && found == USERDB_FOUND) {
    r = identity_enter(&owner, e);
    if (r == 0 && (!stralloc_catm(&maildir, u.home.s, "/Maildir", (char *)0) || !stralloc_catm(&mark, maildir.s, "/vfilter", (char *)0)))
      r = strerr_set(e, "out of memory", (char *)0);
    if (r == 0) r = write_mark(maildir.s, mark.s, rules == USERDB_FOUND, e);
    r = identity_back(r, e);
  }
  userdb_user_free(&u);
  stralloc_free(&maildir);
  stralloc_free(&mark);
  return r;
}
