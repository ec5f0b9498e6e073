/* fd: see fd.h. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_retry(const char *path, int flags, mode_t mode) {
  int fd;

  do fd = open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
  while (fd == -1 && errno == EINTR);
  return fd;
}

int fd_open_read(const char *path) {
  return open_retry(path, O_RDONLY | O_NONBLOCK, 0);
}

int fd_open_write_nonblock(const char *path) {
  return open_retry(path, O_WRONLY | O_NONBLOCK, 0);
}

int fd_open_append(const char *path, mode_t mode) {
  return open_retry(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, mode);
}

int fd_open_trunc(const char *path, mode_t mode) {
  return open_retry(path, O_WRONLY | O_TRUNC | O_CREAT | O_NONBLOCK, mode);
}

int fd_open_among(const char *path, mode_t mode) {
  int fd = open_retry(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode);
  struct stat st;

  if (fd == -1 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))) return fd;
  fd_close(fd);
  errno = EINVAL;
  return -1;
}

int fd_open_excl(const char *path, mode_t mode) {
  return open_retry(path, O_WRONLY | O_EXCL | O_CREAT, mode);
}

int fd_pipe(int p[2]) {
  return pipe2(p, O_CLOEXEC);
}

int fd_socketpair(int p[2]) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p);
}

static int set_flag(int fd, int get, int set, int flag, int on) {
  int flags = fcntl(fd, get);

  if (flags == -1) return -1;
  return fcntl(fd, set, on ? flags | flag : flags & ~flag);
}

int fd_nonblock(int fd) {
  return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, 1);
}

int fd_block(int fd) {
  return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, 0);
}

int fd_cloexec(int fd, int on) {
  return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

int fd_above(int fd) {
  int high;

  if (fd == -1 || fd > 2) return fd;
  high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  fd_close(fd);
  return high;
}

int fd_close(int fd) {
  int saved = errno;

  if (fd != -1) close(fd);
  errno = saved;
  return -1;
}

int fd_write_all(int fd, const char *buf, size_t len) {
  while (len) {
    ssize_t w = write(fd, buf, len);

    if (w == -1 && errno == EINTR) continue;
    if (w == -1) return -1;
    buf += w;
    len -= (size_t)w;
  }
  return 0;
}

int fd_read_all(int fd, char *buf, size_t len) {
  while (len) {
    ssize_t r = read(fd, buf, len);

    if (r == -1 && errno == EINTR) continue;
    if (r <= 0) return (int)r;
    buf += r;
    len -= (size_t)r;
  }
  return 1;
}

static int slurp(int fd, stralloc *sa, size_t max, int short_is_end) {
  size_t start = sa->len;
  int over = 0;

  while (!over) {
    size_t room;
    ssize_t r;

    if (!stralloc_readyplus(sa, 4096)) return -1;
    room = sa->a - 1 - sa->len;
    r = read(fd, sa->s + sa->len, room);
    if (r == -1 && errno == EINTR) continue;
    if (r == -1) return -1;
    over = r == 0 || (short_is_end && (size_t)r < room);
    sa->len += (size_t)r;
    sa->s[sa->len] = 0;
    if (sa->len - start > max) {
      errno = EFBIG;
      return -1;
    }
  }
  return 0;
}

int fd_slurp(int fd, stralloc *sa, size_t max) {
  return slurp(fd, sa, max, 0);
}

int fd_slurp_file(int fd, stralloc *sa, size_t max) {
  return slurp(fd, sa, max, 1);
}

int fd_seekable(int fd) {
  char buf[8192];
  ssize_t r;
  int copy;

  if (lseek(fd, 0, SEEK_CUR) != -1) return fd;
  copy = open_retry("/tmp", O_TMPFILE | O_RDWR, 0600);
  while (copy != -1 && (r = read(fd, buf, sizeof buf)) != 0)
    if ((r == -1 && errno != EINTR) || (r > 0 && fd_write_all(copy, buf, (size_t)r) == -1)) copy = fd_close(copy);
  return copy;
}

int fd_is_ours(int fd) {
  struct stat st;

  errno = EPERM;
  return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022);
}

int fd_syncdir(const char *dir) {
  int fd = open_retry(dir, O_RDONLY | O_DIRECTORY, 0);
  int r;

  if (fd == -1) return -1;
  r = fsync(fd);
  fd_close(fd);
  return r;
}
