/* bulletin_wait: see bulletin_wait.h. */
#include "user/bulletin_wait.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/strlist.h"
#include "user/maildir.h"
#include "user/maildirsize.h"

#define NAME_MAX_BYTES 200
#define SEEN_MAX 65536 /* of what is there the end counts */

int bulletin_dir(const struct conf *conf, const char *domain_dir, stralloc *path) {
  const char *name = conf_line(conf, SET_bulk_maildir);

  return *name && *name != '.' && !strchr(name, '/') && stralloc_catm(path, domain_dir, "/", name, (char *)0);
}

const char *bulletin_name_fault(const char *name) {
  const size_t n = strlen(name);

  if (!n || *name == '.' || n > NAME_MAX_BYTES) return "a bulletin's name has 1 to 200 characters, of which the first is no dot";
  for (const char *s = name; *s; ++s)
    if ((unsigned char)*s <= ' ' || *s == 127 || *s == '/') return "a bulletin's name has no blanks, slashes or control characters";
  return 0;
}

/* Names of those that lie there: 0, or -1 with errno.  No directory: none. */
static int list(const char *dir, struct strlist *names) {
  DIR *d = opendir(dir);
  struct dirent *de;
  int r = 0;

  if (!d) return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
  while (r == 0 && (errno = 0, de = readdir(d)) != 0) {
    if (!strstr(de->d_name, BULLETIN_FOR_ALL) || bulletin_name_fault(de->d_name)) continue;
    if (!strlist_add(names, de->d_name, strlen(de->d_name))) r = -1, errno = ENOMEM;
  }
  if (r == 0 && errno) r = -1;
  {
    int saved = errno;

    closedir(d);
    errno = saved;
  }
  strlist_sort(names);
  return r;
}

/* What BulkMail says, with a LF before it, and the file to add to, locked: two logins at once give nobody two. */
static int open_seen(const char *maildir, stralloc *seen) {
  stralloc path = STRALLOC_INIT;
  int fd = -1;
  off_t end;

  errno = ENOMEM;
  if (stralloc_catm(&path, maildir, "/BulkMail", (char *)0)) fd = fd_open_among(path.s, 0600);
  if (fd != -1 && lock_ex(fd) == -1) fd = fd_close(fd);
  if (fd != -1 && ((end = lseek(fd, 0, SEEK_END)) == -1 || lseek(fd, end > SEEN_MAX ? end - SEEN_MAX : 0, SEEK_SET) == -1 ||
                   !stralloc_copylit(seen, "\n") || fd_slurp(fd, seen, SEEN_MAX + 1) == -1))
    fd = fd_close(fd);
  stralloc_free(&path);
  return fd;
}

static int put(const char *maildir, const char *address, int fd, struct strerr *e) {
  stralloc head = STRALLOC_INIT;
  struct strerr ignored;
  uint64_t size;
  int r = stralloc_catm(&head, "Return-Path: <>\nDelivered-To: ", address, "\n", (char *)0) ? 0 : strerr_set(e, "out of memory", (char *)0);

  if (r == 0) r = maildir_size(fd, head.len, &size, e);
  if (r == 0 && maildir_deliver(maildir, fd, head.s, head.len, "", e) != DELIVER_OK) r = -1;
  /* A sum that could not be written is put right by the next count. */
  if (r == 0) (void)!maildirsize_add(maildir, (int64_t)size, 1, &ignored);
  stralloc_free(&head);
  return r;
}

/* One that lies there. */
struct waiting {
  int fd;
  int64_t since;
  stralloc line; /* of BulkMail, with a LF before it */
};

/* 1; 0 there is none, -1. */
static int open_waiting(const char *dir, const char *name, struct waiting *w, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  struct stat st;
  int r = 0;

  memset(w, 0, sizeof *w);
  w->fd = -1;
  errno = ENOMEM;
  if (stralloc_catm(&path, dir, "/", name, (char *)0)) w->fd = open(path.s, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (w->fd != -1 && fstat(w->fd, &st) == 0 && S_ISREG(st.st_mode)) {
    w->since = st.st_mtime;
    r = stralloc_catm(&w->line, "\n", name, " ", (char *)0) && stralloc_cati64(&w->line, w->since) && stralloc_append(&w->line, '\n')
            ? 1
            : strerr_set(e, "out of memory", (char *)0);
  } else if (w->fd == -1 && errno != ENOENT && errno != ELOOP && errno != ENOTDIR) {
    r = strerr_sys(e, "unable to read ", stralloc_cstr(&path), (char *)0);
  }
  stralloc_free(&path);
  return r;
}

static void waiting_free(struct waiting *w) {
  fd_close(w->fd);
  stralloc_free(&w->line);
}

/* One of them: 1 delivered (address null: passed over), 0 had before or no bulletin, -1. */
static int collect_one(const char *dir, const char *name, const char *maildir, const char *address, int seen_fd, const stralloc *seen, struct strerr *e) {
  struct waiting w;
  int r = open_waiting(dir, name, &w, e);

  if (r == 1 && strstr(seen->s, w.line.s)) r = 0;
  if (r == 1 && address && put(maildir, address, w.fd, e) == -1) r = -1;
  if (r == 1 && fd_write_all(seen_fd, w.line.s + 1, w.line.len - 1) == -1) r = strerr_sys(e, "unable to write BulkMail in ", maildir, (char *)0);
  waiting_free(&w);
  return r;
}

static int no_seen(const char *maildir, struct strerr *e) {
  return strerr_sys(e, "unable to use BulkMail in ", maildir, (char *)0);
}

int bulletin_is_new(const char *dir, const char *name, const char *maildir, int64_t *since, struct strerr *e) {
  stralloc seen = STRALLOC_INIT;
  struct waiting w;
  int r = open_waiting(dir, name, &w, e), fd = -1;

  if (r == 1 && (fd = open_seen(maildir, &seen)) == -1) r = no_seen(maildir, e);
  if (r == 1 && strstr(seen.s, w.line.s)) r = 0;
  *since = w.since;
  fd_close(fd);
  waiting_free(&w);
  stralloc_free(&seen);
  return r;
}

int bulletin_give(const char *dir, const char *name, const char *maildir, const char *address, struct strerr *e) {
  stralloc seen = STRALLOC_INIT;
  const int fd = open_seen(maildir, &seen);
  const int r = fd == -1 ? no_seen(maildir, e) : collect_one(dir, name, maildir, address, fd, &seen, e);

  fd_close(fd);
  stralloc_free(&seen);
  return r;
}

int bulletin_pass(const char *dir, const char *name, const char *maildir, struct strerr *e) {
  return bulletin_give(dir, name, maildir, 0, e);
}

int bulletin_collect(const char *dir, const char *maildir, const char *address, struct strerr *e) {
  stralloc seen = STRALLOC_INIT;
  struct strlist names = {0};
  int fd = -1, got = 0, r = 0;

  if (list(dir, &names) == -1) r = strerr_sys(e, "unable to read ", dir, (char *)0);
  if (r == 0 && names.len && (fd = open_seen(maildir, &seen)) == -1) r = no_seen(maildir, e);
  for (size_t i = 0; r != -1 && i < names.len; ++i) {
    r = collect_one(dir, stralloc_cstr(&names.item[i]), maildir, address, fd, &seen, e);
    if (r == 1) ++got;
  }
  fd_close(fd);
  strlist_free(&names);
  stralloc_free(&seen);
  return r == -1 ? -1 : got;
}
