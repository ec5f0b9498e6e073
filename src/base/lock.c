/* lock: see lock.h. */
#include "base/lock.h"

#include <errno.h>
#include <sys/file.h>

#include "base/fd.h"

static int flock_retry(int fd, int op) {
  int r;

  do r = flock(fd, op);
  while (r == -1 && errno == EINTR);
  return r;
}

int lock_ex(int fd) {
  return flock_retry(fd, LOCK_EX);
}

int lock_exnb(int fd) {
  return flock_retry(fd, LOCK_EX | LOCK_NB);
}

int lock_shnb(int fd) {
  return flock_retry(fd, LOCK_SH | LOCK_NB);
}

static int open_and_lock(const char *path, int op) {
  int fd = fd_open_append(path, 0600);

  if (fd == -1) return -1;
  if (flock_retry(fd, op) == -1) return fd_close(fd);
  return fd;
}

int lock_file(const char *path) {
  return open_and_lock(path, LOCK_EX);
}

int lock_file_nb(const char *path) {
  return open_and_lock(path, LOCK_EX | LOCK_NB);
}
