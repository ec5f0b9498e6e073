/* quota_reset: see quota_reset.h. */
#include "user/quota_reset.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* As whom: what a user may have put in the place of his mailbox is never worked on as root. */
static int choose_owner(const char *maildir, const struct quota_reset *q, struct identity *owner, struct strerr *e) {
  struct stat st;

  if (q->owner) {
    *owner = *q->owner;
    return 0;
  }
  if (stat(maildir, &st) == -1) return errno == ENOENT ? 1 : strerr_sys(e, "unable to look at ", maildir, (char *)0);
  *owner = (struct identity){st.st_uid, st.st_gid};
  if (geteuid() || st.st_uid) return 0;
  strerr_set(e, maildir, " belongs to root", (char *)0);
  e->permanent = 1;
  return -1;
}

static int set_mode(const char *maildir, uint32_t mode, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int fd = -1, r = -1;

  errno = ENOMEM;
  if (stralloc_catm(&path, maildir, "/maildirsize", (char *)0)) fd = open(path.s, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd != -1) r = fchmod(fd, (mode_t)mode);
  if (r == -1) strerr_sys(e, "unable to set the mode of maildirsize in ", maildir, (char *)0);
  fd_close(fd);
  stralloc_free(&path);
  return r;
}

static int reset(const char *maildir, const struct quota_reset *q, struct usage *usage, struct strerr *e) {
  struct quota quota = {0, 0};
  struct stat st;
  int certain, r;

  if (stat(maildir, &st) == -1) return errno == ENOENT ? 1 : strerr_sys(e, "unable to look at ", maildir, (char *)0);
  if (q->quota) quota = *q->quota;
  else if (maildirsize_quota(maildir, &quota, e) == -1) return -1;
  r = maildirsize_usage(maildir, &quota, &q->rules, 1, usage, &certain, e);
  return r == 0 && q->mode ? set_mode(maildir, q->mode, e) : r;
}

int quota_reset(const char *maildir, const struct quota_reset *q, struct usage *usage, struct strerr *e) {
  struct identity owner;
  int r = choose_owner(maildir, q, &owner, e);

  *usage = (struct usage){0, 0};
  if (r != 0) return r;
  r = identity_enter(&owner, e);
  if (r == 0) r = reset(maildir, q, usage, e);
  return identity_back(r, e);
}
