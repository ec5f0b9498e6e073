/* tree_copy: the part of tree.h that copies.  Descriptors all the way, so that a link put in
 * the place of a directory meanwhile leads nowhere.  A file gets its name when it is whole:
 * one whose copying was cut short is copied again.  A message of a Maildir is the same whatever its flags. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "user/tree.h"

#define DEPTH_MAX 200
#define PART ".#copying" /* name of the file being copied */
#define BLOCK 65536

struct copy {
  tree_copied_fn copied;
  void *ctx;
  dev_t dev;
};

static int copy_bytes(int in, int out) {
  char buf[BLOCK];
  ssize_t n;

  while ((n = read(in, buf, sizeof buf)) != 0) {
    if (n == -1 && errno == EINTR) continue;
    if (n == -1 || fd_write_all(out, buf, (size_t)n) == -1) return -1;
  }
  return 0;
}

static int copy_file(struct copy *c, int from, int to, const char *name, const struct stat *st) {
  const struct timespec times[2] = {st->st_atim, st->st_mtim};
  int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), out = -1, r = -1;

  if (in == -1) return errno == ENOENT ? 0 : -1;
  if (unlinkat(to, PART, 0) == 0 || errno == ENOENT) out = openat(to, PART, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (out != -1 && copy_bytes(in, out) == 0 && fchmod(out, st->st_mode & 07777) == 0 && futimens(out, times) == 0 &&
      fsync(out) == 0)
    r = renameat(to, PART, to, name);
  fd_close(in);
  fd_close(out);
  if (r == 0 && c->copied) c->copied(c->ctx, (uint64_t)st->st_size);
  return r;
}

static int copy_link(int from, int to, const char *name) {
  char target[4096];
  ssize_t n = readlinkat(from, name, target, sizeof target - 1);

  if (n == -1) return -1;
  target[n] = 0;
  return symlinkat(target, to, name);
}

static int copy_entries(struct copy *c, int from, int to, int fresh, int depth);

static int copy_dir(struct copy *c, int from, int to, const char *name, mode_t mode, int depth) {
  int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), out = -1, fresh = 0, r = -1;

  if (in != -1 && ((fresh = mkdirat(to, name, mode & 0777) == 0) || errno == EEXIST))
    out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (out != -1) r = copy_entries(c, in, out, fresh, depth + 1);
  fd_close(in);
  fd_close(out);
  return r;
}

static size_t base_length(const char *name) {
  const char *info = strstr(name, ":2,");

  return info ? (size_t)(info - name) : strlen(name);
}

/* The message with the first n bytes of name in the directory sub of dir, whatever its flags: 1 with its name, 0, -1. */
static int find_message(int dir, const char *sub, const char *name, size_t n, char there[NAME_MAX + 1]) {
  int fd = openat(dir, sub, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *d = fd == -1 ? 0 : fdopendir(fd);
  struct dirent *de;
  int r = 0;

  if (!d) return fd == -1 && errno == ENOENT ? 0 : fd_close(fd);
  while (r == 0 && (de = readdir(d)) != 0)
    if (!strncmp(de->d_name, name, n) && base_length(de->d_name) == n) r = 1;
  if (r == 1) memcpy(there, de->d_name, strlen(de->d_name) + 1);
  closedir(d);
  return r;
}

/* Both may have been used since: no flag is lost.  They stand in the order of the alphabet. */
static int add_flags(int dir, const char *there, const char *name, size_t n) {
  char both[NAME_MAX + 4 + 'z' - 'A' + 2];
  size_t len = n + 3;

  memcpy(both, name, n);
  memcpy(both + n, ":2,", 3);
  for (char c = 'A'; c <= 'z'; ++c)
    if ((there[n] && strchr(there + n + 3, c)) || strchr(name + n + 3, c)) both[len++] = c;
  both[len] = 0;
  return strcmp(both, there) != 0 && renameat(dir, there, dir, both) == -1 ? -1 : 1;
}

/* A message that was read, or got other flags, since it was copied is there under another name: in new or in cur.
 * 1 it is there, 0, -1. */
static int follow_message(int to, const char *name, int fresh) {
  const size_t n = base_length(name);
  char there[NAME_MAX + 8] = "../new/";
  int r;

  if (n + 8 > sizeof there) return 0;
  if (!name[n]) return fresh ? 0 : find_message(to, "../cur", name, n, there); /* read where it is now */
  memcpy(there + 7, name, n);
  if (renameat(to, there, to, name) == 0) return 1;
  if (errno != ENOENT) return -1;
  r = fresh ? 0 : find_message(to, ".", name, n, there);
  return r == 1 ? add_flags(to, there, name, n) : r;
}

static int copy_entry(struct copy *c, int from, int to, const char *name, int fresh, int depth) {
  struct stat st, there;

  if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) == -1) return errno == ENOENT ? 0 : -1;
  errno = EXDEV;
  if (S_ISDIR(st.st_mode)) return st.st_dev == c->dev ? copy_dir(c, from, to, name, st.st_mode, depth) : -1;
  if (fstatat(to, name, &there, AT_SYMLINK_NOFOLLOW) == 0) return 0;
  if (S_ISREG(st.st_mode)) {
    const int r = follow_message(to, name, fresh);

    if (r) return r == 1 ? 0 : -1;
  }
  if (S_ISREG(st.st_mode)) return copy_file(c, from, to, name, &st);
  return S_ISLNK(st.st_mode) ? copy_link(from, to, name) : 0; /* sockets and pipes are made anew by who needs them */
}

static int copy_entries(struct copy *c, int from, int to, int fresh, int depth) {
  DIR *d = depth > DEPTH_MAX ? 0 : fdopendir(dup(from));
  struct dirent *de;
  int r = d ? 0 : -1, saved;

  while (r == 0 && (de = readdir(d)) != 0)
    if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0 && strcmp(de->d_name, PART) != 0)
      r = copy_entry(c, from, to, de->d_name, fresh, depth);
  saved = errno;
  if (d) closedir(d);
  errno = saved;
  return r == 0 ? fsync(to) : -1;
}

int tree_copy(const char *from, const char *to, tree_copied_fn copied, void *ctx, struct strerr *e) {
  struct copy c = {.copied = copied, .ctx = ctx};
  struct stat st = {0};
  int in = open(from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), out = -1, r = -1;

  if (in != -1 && fstat(in, &st) == 0 && (mkdir(to, st.st_mode & 0777) == 0 || errno == EEXIST))
    out = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  c.dev = st.st_dev;
  if (out != -1) r = copy_entries(&c, in, out, 0, 0);
  if (r == -1) strerr_sys(e, "unable to copy ", from, " to ", to, (char *)0);
  fd_close(in);
  fd_close(out);
  return r;
}
