/* tree: see tree.h.  Removal goes by descriptors, so that a link put in the place of
 * a directory meanwhile leads nowhere. */
#include "user/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define DEPTH_MAX 200

/* Empties and removes name below at. */
static int remove_below(int at, const char *name, dev_t dev, int depth) {
  struct dirent *de;
  struct stat st;
  DIR *d;
  int fd, r = 0, saved;

  if (unlinkat(at, name, 0) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR && errno != EPERM) return -1;
  errno = ELOOP;
  if (depth > DEPTH_MAX) return -1;
  fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd == -1) return -1;
  errno = EXDEV;
  if (fstat(fd, &st) == -1 || st.st_dev != dev || !(d = fdopendir(fd))) return fd_close(fd);
  while (r == 0 && (de = readdir(d)) != 0)
    if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0) r = remove_below(fd, de->d_name, dev, depth + 1);
  saved = errno;
  closedir(d);
  errno = saved;
  return r == -1 ? -1 : unlinkat(at, name, AT_REMOVEDIR);
}

int tree_remove(const char *path, struct strerr *e) {
  struct stat st;

  if (lstat(path, &st) == -1) {
    if (errno == ENOENT || errno == ENOTDIR) return 0;
  } else if (remove_below(AT_FDCWD, path, st.st_dev, 0) == 0) {
    return 0;
  }
  return strerr_sys(e, "unable to remove ", path, (char *)0);
}

/* What is not empty, or is somebody's who does not let us, stays: 0 or -1. */
static int prune_below(int at, const char *name, dev_t dev, int (*fits)(const char *), int depth) {
  int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *d = fd == -1 ? 0 : fdopendir(fd);
  struct dirent *de;
  struct stat st;
  int r = 0, saved;

  if (!d) return fd == -1 ? 0 : fd_close(fd);
  errno = 0;
  if (fstat(fd, &st) == 0 && st.st_dev == dev)
    while (r == 0 && (errno = 0, de = readdir(d)) != 0) {
      if (!fits(de->d_name)) continue;
      if (depth > 1) r = prune_below(fd, de->d_name, dev, fits, depth - 1);
      if (r == 0) (void)!unlinkat(fd, de->d_name, AT_REMOVEDIR);
    }
  if (r == 0 && errno) r = -1;
  saved = errno;
  closedir(d);
  errno = saved;
  return r;
}

int tree_prune(const char *path, int (*fits)(const char *name), int depth, struct strerr *e) {
  struct stat st;

  if (lstat(path, &st) == -1) {
    if (errno == ENOENT || errno == ENOTDIR) return 0;
  } else if (prune_below(AT_FDCWD, path, st.st_dev, fits, depth) == 0) {
    return 0;
  }
  return strerr_sys(e, "unable to look for empty directories in ", path, (char *)0);
}

int tree_mkdir(const char *path, mode_t mode, uid_t uid, gid_t gid, struct strerr *e) {
  struct stat st;

  if (mkdir(path, mode) == -1) {
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return 0;
    return strerr_sys(e, "unable to create ", path, (char *)0);
  }
  if ((geteuid() == 0 && chown(path, uid, gid) == -1) || chmod(path, mode) == -1)
    return strerr_sys(e, "unable to set the owner of ", path, (char *)0);
  return 0;
}
