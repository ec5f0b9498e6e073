/* maildir: see maildir.h.  Everything goes through the directory's descriptor, so a
 * delivery that began in one directory ends in it even if it is renamed meanwhile. */
#include "user/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/now.h"

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

static int add_host(stralloc *name, const char *host) {
  for (; *host; ++host) {
    const char *escaped = *host == '/' ? "\\057" : *host == ':' ? "\\072" : 0;

    if (escaped ? !stralloc_cats(name, escaped) : !stralloc_append(name, *host)) return 0;
  }
  return 1;
}

int maildir_name(stralloc *name, int64_t now_us, pid_t pid, unsigned n, const char *host) {
  stralloc_cut(name, 0);
  return stralloc_cati64(name, now_us / 1000000) && stralloc_catlit(name, ".M") &&
         stralloc_cati64(name, now_us % 1000000) && stralloc_append(name, 'P') &&
         stralloc_cati64(name, pid) && stralloc_append(name, 'Q') && stralloc_catu64(name, n) &&
         stralloc_append(name, '.') && add_host(name, host);
}

/* Where one delivery stands. */
struct delivery {
  int dir;
  int fd;       /* the file in tmp */
  stralloc tmp; /* "tmp/NAME" */
  stralloc new; /* "new/NAME,S=size" */
  const char *host;
  unsigned tried;
};

/* Creates a file in tmp that did not exist: 0 or -1 with errno. */
static int open_tmp(struct delivery *d, uint64_t size) {
  stralloc name = STRALLOC_INIT;
  int r = -1;

  for (; d->tried < NAME_TRIES; ++d->tried) {
    errno = ENOMEM;
    stralloc_cut(&d->tmp, 0);
    stralloc_cut(&d->new, 0);
    if (!maildir_name(&name, wall_now_us(), getpid(), d->tried, d->host) ||
        !stralloc_catm(&d->tmp, "tmp/", name.s, (char *)0) ||
        !stralloc_catm(&d->new, "new/", name.s, ",S=", (char *)0) || !stralloc_catu64(&d->new, size))
      break;
    d->fd = openat(d->dir, d->tmp.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (d->fd != -1) r = 0;
    if (d->fd != -1 || errno != EEXIST) break;
  }
  stralloc_free(&name);
  return r;
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

/* Moves the file without replacing another. */
static int move(struct delivery *d) {
  if (renameat2(d->dir, d->tmp.s, d->dir, d->new.s, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  if (linkat(d->dir, d->tmp.s, d->dir, d->new.s, 0) == -1) return -1;
  (void)!unlinkat(d->dir, d->tmp.s, 0);
  return 0;
}

static int sync_new(int dir) {
  int fd = openat(dir, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int r;

  if (fd == -1) return -1;
  r = fsync(fd);
  fd_close(fd);
  return r;
}

static int write_and_move(struct delivery *d, const char *dir, int msgfd, const char *head,
                          size_t headlen, struct strerr *e) {
  uint64_t size;

  if (maildir_size(msgfd, headlen, &size, e) == -1) return -1;
  if (open_tmp(d, size) == -1) return strerr_sys(e, "unable to create a file in ", dir, "/tmp", (char *)0);
  if (copy(d->fd, msgfd, head, headlen, size, e) == -1) return -1;
  if (fsync(d->fd) == -1) return strerr_sys(e, "unable to sync ", dir, "/", d->tmp.s, (char *)0);
  if (move(d) == -1) return strerr_sys(e, "unable to move a message to ", dir, "/new", (char *)0);
  stralloc_cut(&d->tmp, 0);
  if (sync_new(d->dir) == -1) {
    strerr_sys(e, "unable to sync ", dir, "/new", (char *)0);
    /* The message may or may not survive a crash: take it back and say so. */
    (void)!unlinkat(d->dir, d->new.s, 0);
    return -1;
  }
  return 0;
}

/* The name of this host when it was first wanted. */
static const char *host_name(void) {
  static char name[HOST_SIZE];

  if (!name[0] && gethostname(name, sizeof name) == -1) name[0] = 0;
  name[sizeof name - 1] = 0;
  return name[0] ? name : "localhost";
}

enum deliver_result maildir_deliver(const char *dir, int msgfd, const char *head, size_t headlen,
                                    struct strerr *e) {
  struct delivery d = {.dir = -1, .fd = -1};
  int r;

  d.host = host_name();
  d.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  r = d.dir == -1 ? strerr_sys(e, "unable to open ", dir, (char *)0)
                  : write_and_move(&d, dir, msgfd, head, headlen, e);
  if (r == -1 && d.fd != -1 && d.tmp.len) {
    int saved = errno;

    (void)!unlinkat(d.dir, d.tmp.s, 0);
    errno = saved;
  }
  fd_close(d.fd);
  fd_close(d.dir);
  stralloc_free(&d.tmp);
  stralloc_free(&d.new);
  return r == -1 ? DELIVER_TEMP : DELIVER_OK;
}
