/* maildir: see maildir.h.  Everything goes through the directory's descriptor, so a
 * delivery that began in one directory ends in it even if it is renamed meanwhile. */
#include "user/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/fsname.h"
#include "base/now.h"
#include "user/maildir_name.h"

#define COPY_SIZE 32768
#define NAME_TRIES 100
#define HOST_SIZE 256

/* A directory whose name is on disk: what is delivered into it must not vanish with it. */
static int make_dir(const char *path, mode_t mode) {
  stralloc above = STRALLOC_INIT;
  int r = access(path, F_OK) == 0 ? 1 : 0;

  if (file_mkdir(path, mode) == -1) return -1;
  if (r == 0) r = file_dirname(path, &above) == -1 ? -1 : fd_syncdir(above.s);
  stralloc_free(&above);
  return r == -1 ? -1 : 0;
}

static int make_parents(const char *dir, mode_t mode, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  size_t n = strlen(dir);
  int r = 0;

  for (size_t i = 1; r == 0 && i < n; ++i) {
    if (dir[i] != '/') continue;
    if (!stralloc_copyb(&path, dir, i)) r = strerr_sys(e, "unable to create ", dir, (char *)0);
    else if (make_dir(path.s, mode) == -1) r = strerr_sys(e, "unable to create ", path.s, (char *)0);
  }
  stralloc_free(&path);
  return r;
}

int maildir_create(const char *dir, mode_t mode, int parents, struct strerr *e) {
  static const char *const sub[] = {"cur", "new", "tmp"};
  int fd;

  if (parents && make_parents(dir, mode, e) == -1) return -1;
  if (make_dir(dir, mode) == -1) return strerr_sys(e, "unable to create ", dir, (char *)0);
  fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd == -1) return strerr_sys(e, "unable to open ", dir, (char *)0);
  for (size_t i = 0; i < sizeof sub / sizeof *sub; ++i)
    if (mkdirat(fd, sub[i], mode) == -1 && errno != EEXIST) {
      strerr_sys(e, "unable to create ", dir, "/", sub[i], (char *)0);
      fd_close(fd);
      return -1;
    }
  if (fsync(fd) == -1) {
    strerr_sys(e, "unable to sync ", dir, (char *)0);
    return fd_close(fd);
  }
  fd_close(fd);
  return 0;
}

int maildir_size(int msgfd, size_t headlen, uint64_t *size, struct strerr *e) {
  struct stat st;

  if (fstat(msgfd, &st) == -1) return strerr_sys(e, "unable to read message", (char *)0);
  *size = (uint64_t)st.st_size + headlen;
  return 0;
}

/* Where one delivery stands. */
struct delivery {
  int dir;
  int fd;       /* the file in tmp */
  stralloc tmp; /* "tmp/NAME" while it is there */
  stralloc new; /* "new/NAME,S=size" */
  const char *path, *host; /* of the directory; ours */
  const char *head;
  size_t headlen;
  uint64_t size;      /* of the file */
  const char *messid; /* "": the file is named after the moment */
};

/* Creates a file in tmp that did not exist: 0 or -1 with errno. */
static int open_tmp(struct delivery *d, stralloc *name) {
  for (unsigned n = 0; n < NAME_TRIES; ++n) {
    errno = ENOMEM;
    stralloc_cut(&d->tmp, 0);
    if (!maildir_name(name, wall_now_us(), getpid(), n, d->host) || !stralloc_catm(&d->tmp, "tmp/", name->s, (char *)0)) return -1;
    d->fd = openat(d->dir, d->tmp.s, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (d->fd != -1) return 0;
    if (errno != EEXIST) return -1;
  }
  return -1;
}

/* Writes head and message.  The message must have the length it began with: the
 * name promises it, and quotas are counted by it. */
static int copy(int to, int from, const char *head, size_t headlen, uint64_t size, struct strerr *e) {
  char buf[COPY_SIZE];
  size_t have = 0;
  off_t pos = 0;
  uint64_t done = 0;

  if (headlen > sizeof buf / 2) {
    if (fd_write_all(to, head, headlen) == -1) return strerr_sys(e, "unable to write message", (char *)0);
    done = headlen;
  } else {
    if (headlen) memcpy(buf, head, headlen);
    have = headlen;
  }
  for (;;) {
    ssize_t r = pread(from, buf + have, sizeof buf - have, pos);

    if (r == -1 && errno == EINTR) continue;
    if (r == -1) return strerr_sys(e, "unable to read message", (char *)0);
    pos += r;
    have += (size_t)r;
    done += have;
    if (fd_write_all(to, buf, have) == -1) return strerr_sys(e, "unable to write message", (char *)0);
    have = 0;
    if (done >= size) break;
    if (r == 0) break;
  }
  if (done != size) return strerr_set(e, "the message changed while it was delivered", (char *)0);
  return 0;
}

/* Without replacing another.  The file in tmp is gone then. */
static int move(struct delivery *d) {
  if (renameat2(d->dir, d->tmp.s, d->dir, d->new.s, RENAME_NOREPLACE) == -1) {
    if (errno != EINVAL && errno != ENOSYS) return -1;
    if (linkat(d->dir, d->tmp.s, d->dir, d->new.s, 0) == -1) return -1;
    (void)!unlinkat(d->dir, d->tmp.s, 0);
  }
  stralloc_cut(&d->tmp, 0);
  return 0;
}

/* Is what lies there under our name this message, or what a power loss makes of a file that was not synced: a beginning
 * of it, with zeros in the place of any part? */
static int is_ours(int theirs, int ours) {
  char a[COPY_SIZE / 2], b[COPY_SIZE / 2];

  for (off_t pos = 0;;) {
    ssize_t n = pread(theirs, a, sizeof a, pos), m = n > 0 ? pread(ours, b, (size_t)n, pos) : 0;

    if (n == -1 || m < n) return 0; /* longer than ours */
    if (n == 0) return 1;
    for (ssize_t i = 0; i < n; ++i)
      if (a[i] != b[i] && a[i]) return 0;
    pos += n;
  }
}

/* In the place of what an earlier delivery of this message has left, even where that is whole: nobody knows whether the
 * disk took it.  0 or -1 with errno, EEXIST: it is another message. */
static int move_over(struct delivery *d) {
  int fd = openat(d->dir, d->new.s, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  const int ours = fd != -1 && is_ours(fd, d->fd);

  fd_close(fd);
  errno = EEXIST;
  if (!ours || renameat(d->dir, d->tmp.s, d->dir, d->new.s) == -1) return -1;
  stralloc_cut(&d->tmp, 0);
  return 0;
}

/* To its place in new/: 0 or -1 with errno. */
static int place(struct delivery *d, stralloc *name) {
  for (unsigned n = 0; n < NAME_TRIES; ++n) {
    errno = ENOMEM;
    stralloc_cut(&d->new, 0);
    if ((*d->messid && !maildir_name_of(name, d->messid, d->head, d->headlen, n, d->host)) ||
        !stralloc_catm(&d->new, "new/", name->s, ",S=", (char *)0) || !stralloc_catu64(&d->new, d->size))
      return -1;
    if (move(d) == 0) return 0;
    if (errno != EEXIST || !*d->messid) return -1;
    if (move_over(d) == 0) return 0;
    if (errno != EEXIST) return -1;
  }
  return -1;
}

static int sync_new(int dir) {
  int fd = openat(dir, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int r;

  if (fd == -1) return -1;
  r = fsync(fd);
  fd_close(fd);
  return r;
}

/* The message may or may not survive a crash: it is taken back. */
static int take_back(struct delivery *d, const char *what, struct strerr *e) {
  strerr_sys(e, "unable to sync ", d->path, what, (char *)0);
  (void)!unlinkat(d->dir, d->new.s, 0);
  return -1;
}

static int write_and_move(struct delivery *d, int msgfd, stralloc *name, struct strerr *e) {
  const int again = *d->messid != 0;

  if (maildir_size(msgfd, d->headlen, &d->size, e) == -1) return -1;
  if (open_tmp(d, name) == -1) return strerr_sys(e, "unable to create a file in ", d->path, "/tmp", (char *)0);
  if (copy(d->fd, msgfd, d->head, d->headlen, d->size, e) == -1) return -1;
  if (!again && fsync(d->fd) == -1) return strerr_sys(e, "unable to sync ", d->path, "/", d->tmp.s, (char *)0);
  if (place(d, name) == -1) return strerr_sys(e, "unable to move a message to ", d->path, "/new", (char *)0);
  if (again && fsync(d->fd) == -1) return take_back(d, "/new: a message", e);
  if (again && fsname_goes_with_file(d->dir)) return 0;
  return sync_new(d->dir) == -1 ? take_back(d, "/new", e) : 0;
}

/* The name of this host when it was first wanted. */
static const char *host_name(void) {
  static char name[HOST_SIZE];

  if (!name[0] && gethostname(name, sizeof name) == -1) name[0] = 0;
  name[sizeof name - 1] = 0;
  return name[0] ? name : "localhost";
}

enum deliver_result maildir_deliver(const char *dir, int msgfd, const char *head, size_t headlen, const char *messid,
                                    struct strerr *e) {
  struct delivery d = {.dir = -1, .fd = -1, .path = dir, .host = host_name(), .head = head, .headlen = headlen};
  stralloc name = STRALLOC_INIT;
  int64_t came;
  int r;

  d.messid = maildir_name_timed(messid, &came) ? messid : "";
  d.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  r = d.dir == -1 ? strerr_sys(e, "unable to open ", dir, (char *)0) : write_and_move(&d, msgfd, &name, e);
  if (r == -1 && d.fd != -1 && d.tmp.len) {
    int saved = errno;

    (void)!unlinkat(d.dir, d.tmp.s, 0);
    errno = saved;
  }
  fd_close(d.fd);
  fd_close(d.dir);
  stralloc_free(&name);
  stralloc_free(&d.tmp);
  stralloc_free(&d.new);
  return r == -1 ? DELIVER_TEMP : DELIVER_OK;
}
