/* maildir_sweep: see maildir_sweep.h. */
#include "user/maildir_sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"

static int open_dir(int at, const char *name) {
  return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* What is not there, or is no directory of the user's, is nothing to sweep. */
static int is_nothing(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

/* Has somebody read it: an S among the flags after ":2,"? */
static int is_read(const char *name) {
  const char *flags = strstr(name, ":2,");

  return flags && strchr(flags, 'S');
}

static int sweep_message(int dir, const char *name, const struct sweep *s, struct usage *swept) {
  struct stat st;

  if (s->unread && is_read(name)) return 0;
  if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1) return errno == ENOENT ? 0 : -1;
  if (!S_ISREG(st.st_mode) || st.st_mtime >= s->before) return 0;
  if (!s->dry && unlinkat(dir, name, 0) == -1) return errno == ENOENT ? 0 : -1;
  swept->bytes += st.st_size;
  ++swept->count;
  return 0;
}

/* Calls fn for the entries of an open directory, which is closed. */
static int each(int fd, int (*fn)(int, const char *, const struct sweep *, struct usage *), const struct sweep *s, struct usage *swept) {
  struct dirent *de;
  DIR *d = fdopendir(fd);
  int r = 0, saved;

  if (!d) return fd_close(fd);
  while (r == 0 && (errno = 0, de = readdir(d)) != 0) r = fn(fd, de->d_name, s, swept);
  if (r == 0 && errno) r = -1;
  saved = errno;
  closedir(d);
  errno = saved;
  return r;
}

static int sweep_visible(int dir, const char *name, const struct sweep *s, struct usage *swept) {
  return name[0] == '.' ? 0 : sweep_message(dir, name, s, swept);
}

/* cur and new of a folder. */
static int sweep_folder(int at, const char *name, const struct sweep *s, struct usage *swept) {
  static const char *const dirs[] = {"new", "cur"};
  int folder = open_dir(at, name), r = 0;

  if (folder == -1) return is_nothing(errno) ? 0 : -1;
  for (size_t i = 0; r == 0 && i < sizeof dirs / sizeof *dirs; ++i) {
    int fd = open_dir(folder, dirs[i]);

    if (fd != -1) r = each(fd, sweep_visible, s, swept);
    else if (!is_nothing(errno)) r = -1;
  }
  fd_close(folder);
  return r;
}

static int sweep_entry(int dir, const char *name, const struct sweep *s, struct usage *swept) {
  return name[0] == '.' && strcmp(name, "..") != 0 ? sweep_folder(dir, name, s, swept) : 0; /* "." is the inbox */
}

int maildir_sweep(const char *maildir, const struct sweep *s, struct usage *swept, struct strerr *e) {
  int fd = open(maildir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
  stralloc name = STRALLOC_INIT;

  if (fd == -1) return is_nothing(errno) ? 0 : strerr_sys(e, "unable to open ", maildir, (char *)0);
  if (!s->folder) {
    r = each(fd, sweep_entry, s, swept);
  } else {
    errno = ENOMEM;
    r = stralloc_catm(&name, ".", s->folder, (char *)0) ? sweep_folder(fd, name.s, s, swept) : -1;
    fd_close(fd);
  }
  if (r == -1) strerr_sys(e, "unable to remove old messages of ", maildir, (char *)0);
  stralloc_free(&name);
  return r;
}

int maildir_sweep_folder_ok(const char *folder) {
  size_t n = strlen(folder);

  return n < 255 && folder[0] != '.' && file_name_ok(folder, n);
}
