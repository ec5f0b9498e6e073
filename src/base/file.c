/* file: see file.h. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/scan.h"

int file_read(const char *path, stralloc *sa, size_t max) {
  int fd = fd_open_read(path);
  int r;

  if (fd == -1) return errno == ENOENT ? 0 : -1;
  stralloc_cut(sa, 0);
  r = fd_slurp(fd, sa, max);
  fd_close(fd);
  return r == -1 ? -1 : 1;
}

static int write_temp(const char *tmp, const char *path, const char *buf, size_t len, mode_t mode) {
  struct stat st;
  int fd = fd_open_excl(tmp, mode);

  if (fd == -1 && errno == EEXIST && unlink(tmp) == 0) fd = fd_open_excl(tmp, mode);
  if (fd == -1) return -1;
  if (stat(path, &st) == 0) (void)!fchown(fd, st.st_uid, st.st_gid);
  if (fchmod(fd, mode) == -1 || fd_write_all(fd, buf, len) == -1 || fsync(fd) == -1) {
    fd_close(fd);
    return -1;
  }
  return close(fd);
}

int file_replace(const char *path, const char *buf, size_t len, mode_t mode) {
  stralloc tmp = STRALLOC_INIT;
  stralloc dir = STRALLOC_INIT;
  int r = -1;

  if (stralloc_copys(&tmp, path) && stralloc_append(&tmp, '.') &&
      stralloc_cati64(&tmp, getpid()) && stralloc_catlit(&tmp, ".tmp") &&
      file_dirname(path, &dir) == 0) {
    r = write_temp(tmp.s, path, buf, len, mode);
    if (r == 0) r = rename(tmp.s, path);
    if (r == 0) r = fd_syncdir(dir.s);
    if (r == -1) {
      int saved = errno;

      unlink(tmp.s);
      errno = saved;
    }
  }
  stralloc_free(&tmp);
  stralloc_free(&dir);
  return r;
}

/* "NAME.PID.tmp" of a process that is no more? */
static int is_left(const char *entry, const char *name) {
  const size_t n = strlen(name), len = strlen(entry);
  uint32_t pid;

  if (len < n + 6 || memcmp(entry, name, n) != 0 || entry[n] != '.' || strcmp(entry + len - 4, ".tmp") != 0) return 0;
  if (!scan_u32(entry + n + 1, len - n - 5, &pid) || !pid || pid > INT32_MAX) return 0;
  return kill((pid_t)pid, 0) == -1 && errno == ESRCH;
}

void file_sweep(const char *path) {
  const size_t n = strlen(path), slash = bytes_rchr(path, n, '/');
  const char *name = slash < n ? path + slash + 1 : path;
  stralloc dir = STRALLOC_INIT;
  const struct dirent *d;
  DIR *in = 0;
  int fd;

  if (file_dirname(path, &dir) == 0) {
    fd = open(dir.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    in = fd == -1 ? 0 : fdopendir(fd);
    if (!in) fd_close(fd);
  }
  while (in && (d = readdir(in)))
    if (is_left(d->d_name, name)) (void)!unlinkat(dirfd(in), d->d_name, 0);
  if (in) closedir(in);
  stralloc_free(&dir);
}

int file_mkdir(const char *path, mode_t mode) {
  struct stat st;

  if (mkdir(path, mode) == 0) return 0;
  if (errno != EEXIST) return -1;
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return 0;
  errno = EEXIST;
  return -1;
}

int file_dirname(const char *path, stralloc *dir) {
  size_t n = strlen(path);
  size_t slash = bytes_rchr(path, n, '/');

  if (slash == n) return stralloc_copylit(dir, ".") ? 0 : -1;
  return stralloc_copyb(dir, path, slash ? slash : 1) ? 0 : -1;
}

/* FNV-1a. */
static uint64_t mix(uint64_t h, uint64_t u) {
  for (int i = 0; i < 64; i += 8) h = (h ^ (u >> i & 255)) * UINT64_C(1099511628211);
  return h;
}

uint64_t file_stamp(uint64_t h, const char *path) {
  struct stat st;

  if (stat(path, &st) == -1) return mix(h, (uint64_t)errno);
  h = mix(mix(mix(h, st.st_ino), (uint64_t)st.st_size), st.st_mode);
  h = mix(mix(h, (uint64_t)st.st_mtim.tv_sec), (uint64_t)st.st_mtim.tv_nsec);
  return mix(mix(h, (uint64_t)st.st_ctim.tv_sec), (uint64_t)st.st_ctim.tv_nsec);
}

int file_name_ok(const char *s, size_t n) {
  if (!n || n > 255) return 0;
  if (bytes_chr(s, n, '/') != n || bytes_chr(s, n, 0) != n) return 0;
  if (s[0] == '.' && (n == 1 || (n == 2 && s[1] == '.'))) return 0;
  return 1;
}
