/* maildirsize: see maildirsize.h. */
#include "user/maildirsize.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/fmt.h"
#include "base/now.h"
#include "base/scan.h"

#define COUNT_TRIES 3
#define FAST_FILE_MAX 1048576 /* a longer file is counted even where that is not wanted */
#define LINE_BYTES 128 /* a first line is shorter */
#define CERTAIN_AGE 900 /* a count with nothing added is believed so long, even to refuse */

/* "bytes messages", blanks between and before the end as other programs pad them. */
static int parse_delta(const char *s, size_t n, struct usage *u) {
  size_t start = 0, end, blank;
  int64_t bytes, count;

  while (start < n && s[start] == ' ') ++start;
  while (n > start && (s[n - 1] == ' ' || s[n - 1] == '\r')) --n;
  blank = start + bytes_chr(s + start, n - start, ' ');
  for (end = blank; end < n && s[end] == ' ';) ++end;
  if (!scan_i64(s + start, blank - start, &bytes) || !scan_i64(s + end, n - end, &count)) return 0;
  return !__builtin_add_overflow(u->bytes, bytes, &u->bytes) && !__builtin_add_overflow(u->count, count, &u->count);
}

int maildirsize_parse(const char *s, size_t n, struct quota *q, struct usage *u, size_t *lines) {
  struct usage sum = {0, 0};
  struct quota quota;
  size_t i = bytes_chr(s, n, '\n');
  size_t count = 0;

  if (i == n || !quota_parse(s, i, &quota)) return 0;
  for (s += i + 1, n -= i + 1; n; s += i + 1, n -= i + 1, ++count) {
    i = bytes_chr(s, n, '\n');
    if (i == n || !parse_delta(s, i, &sum)) return 0;
  }
  if (!count || sum.bytes < 0 || sum.count < 0) return 0;
  *q = quota;
  *u = sum;
  *lines = count;
  return 1;
}

/* Is the message marked as trashed: a T among the flags after ":2,"? */
static int trashed(const char *name) {
  const char *flags = strstr(name, ":2,");

  return flags && strchr(flags, 'T');
}

/* The size the name gives (",S=n"), or -1. */
static int64_t size_in_name(const char *name) {
  const char *s = strstr(name, ",S=");
  uint64_t u;

  if (!s || !scan_u64_prefix(s + 3, strlen(s + 3), &u) || u > INT64_MAX / 4) return -1;
  return (int64_t)u;
}

/* What one walk sees: the sum, and the newest change of a directory. */
struct walk {
  const struct maildirsize_rules *rules;
  struct usage sum;
  struct timespec newest;
};

static void add_file(int dir, const char *name, struct walk *w) {
  struct usage *u = &w->sum;
  int64_t size = size_in_name(name);
  struct stat st;

  if (!w->rules->trash && trashed(name)) return;
  if (size == -1) {
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode)) return;
    size = st.st_size;
  }
  if (__builtin_add_overflow(u->bytes, size, &u->bytes)) u->bytes = INT64_MAX;
  ++u->count;
}

static int open_dir(int at, const char *name) {
  return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int walk_messages(int at, const char *name, struct walk *w) {
  int fd = open_dir(at, name);
  struct stat st;
  struct dirent *de;
  DIR *d;

  if (fd == -1) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -1;
  if (fstat(fd, &st) == -1 || !(d = fdopendir(fd))) return fd_close(fd);
  if (st.st_mtim.tv_sec > w->newest.tv_sec ||
      (st.st_mtim.tv_sec == w->newest.tv_sec && st.st_mtim.tv_nsec > w->newest.tv_nsec))
    w->newest = st.st_mtim;
  for (errno = 0; (de = readdir(d)) != 0; errno = 0)
    if (de->d_name[0] != '.') add_file(fd, de->d_name, w);
  if (errno) {
    int saved = errno;

    closedir(d);
    errno = saved;
    return -1;
  }
  closedir(d);
  return 0;
}

static int walk_folder(int at, const char *name, struct walk *w) {
  int fd = open_dir(at, name);
  int r;

  if (fd == -1) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -1;
  r = walk_messages(fd, "cur", w) == -1 || walk_messages(fd, "new", w) == -1 ? -1 : 0;
  fd_close(fd);
  return r;
}

static int is_folder(const char *name) {
  return name[0] == '.' && name[1] && strcmp(name, "..") != 0;
}

int maildirsize_counts(const char *folder, const struct maildirsize_rules *rules) {
  return rules->trash || !folder || strcmp(folder, ".Trash") != 0;
}

static int walk_maildir(int fd, const struct maildirsize_rules *rules, struct walk *w) {
  int copy;
  struct dirent *de;
  DIR *d;
  int r = 0;

  *w = (struct walk){.rules = rules};
  if (walk_messages(fd, "cur", w) == -1 || walk_messages(fd, "new", w) == -1) return -1;
  copy = open_dir(fd, ".");
  if (copy == -1) return -1;
  d = fdopendir(copy);
  if (!d) return fd_close(copy);
  while (r == 0 && (errno = 0, de = readdir(d)) != 0)
    if (is_folder(de->d_name) && maildirsize_counts(de->d_name, w->rules)) r = walk_folder(fd, de->d_name, w);
  if (r == 0 && errno) r = -1;
  {
    int saved = errno;

    closedir(d);
    errno = saved;
  }
  return r;
}

int maildirsize_count(const char *maildir, const struct maildirsize_rules *rules, struct usage *u, struct strerr *e) {
  struct walk w;
  int fd = open(maildir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd == -1) return strerr_sys(e, "unable to open ", maildir, (char *)0);
  if (walk_maildir(fd, rules, &w) == -1) {
    strerr_sys(e, "unable to count ", maildir, (char *)0);
    fd_close(fd);
    return -1;
  }
  fd_close(fd);
  *u = w.sum;
  return 0;
}

/* Writes the file anew: in tmp, then renamed. */
static int write_file(int dir, const struct quota *q, const struct usage *u) {
  stralloc text = STRALLOC_INIT, name = STRALLOC_INIT;
  int fd = -1, r = -1;

  errno = ENOMEM;
  if (quota_fmt(&text, q) && stralloc_append(&text, '\n') && stralloc_cati64(&text, u->bytes) &&
      stralloc_append(&text, ' ') && stralloc_cati64(&text, u->count) && stralloc_append(&text, '\n') &&
      stralloc_catlit(&name, "tmp/") && stralloc_cati64(&name, wall_now_us()) && stralloc_catlit(&name, ".P") &&
      stralloc_cati64(&name, getpid()) && stralloc_catlit(&name, "_maildirsize"))
    fd = openat(dir, name.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd != -1) {
    r = fd_write_all(fd, text.s, text.len);
    if (r == 0) r = renameat(dir, name.s, dir, "maildirsize");
    if (r == -1) {
      int saved = errno;

      (void)!unlinkat(dir, name.s, 0);
      errno = saved;
    }
    fd_close(fd);
  }
  stralloc_free(&text);
  stralloc_free(&name);
  return r;
}

/* Counts until nothing moved meanwhile (a few times: a busy mailbox is only nearly
 * right, and put right the next time) and writes the file. */
static int recount(int dir, const struct quota *q, const struct maildirsize_rules *rules, struct usage *u) {
  struct walk w;

  for (int i = 0; i < COUNT_TRIES; ++i) {
    struct timespec start;

    clock_gettime(CLOCK_REALTIME_COARSE, &start);
    if (walk_maildir(dir, rules, &w) == -1) return -1;
    if (w.newest.tv_sec < start.tv_sec ||
        (w.newest.tv_sec == start.tv_sec && w.newest.tv_nsec < start.tv_nsec))
      break;
  }
  *u = w.sum;
  return write_file(dir, q, u);
}

static int open_file(const char *maildir, int flags) {
  stralloc path = STRALLOC_INIT;
  int fd = -1;

  errno = ENOMEM;
  if (stralloc_catm(&path, maildir, "/maildirsize", (char *)0)) fd = open(path.s, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  stralloc_free(&path);
  return fd;
}

/* The file as it is: 1, 0 it is none that could be believed, -1. */
static int read_file(const char *maildir, size_t max, stralloc *text, struct stat *st) {
  int fd = open_file(maildir, O_RDONLY);
  int r = 0;

  if (fd == -1) return errno == ENOENT || errno == ELOOP || errno == EACCES ? 0 : -1;
  if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) && (size_t)st->st_size <= max) r = fd_slurp_file(fd, text, max) == 0;
  fd_close(fd);
  return r;
}

static int same(const struct quota *a, const struct quota *b) {
  return a->bytes == b->bytes && a->count == b->count;
}

/* The file's word: 1, 0 if it must be counted, -1. */
static int believe(const char *maildir, const struct quota *q, struct usage *u, int *certain) {
  stralloc text = STRALLOC_INIT;
  size_t lines = 0;
  struct stat st;
  struct quota has;
  int r = read_file(maildir, MAILDIRSIZE_FILE_MAX, &text, &st);

  if (r == 1) {
    r = st.st_mtime > wall_now() - MAILDIRSIZE_AGE && maildirsize_parse(text.s, text.len, &has, u, &lines) && same(&has, q);
    *certain = lines == 1 && st.st_mtime > wall_now() - CERTAIN_AGE;
  }
  stralloc_free(&text);
  return r;
}

/* One that is long, or states another quota, as one with a single sum.  What is added between reading it and
 * this would be lost for good, as nothing counts again: so nothing is done where something was. */
static void shorten(const char *maildir, const struct quota *q, const struct usage *u, const struct stat *was) {
  int dir = open(maildir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat is;

  if (dir != -1 && fstatat(dir, "maildirsize", &is, AT_SYMLINK_NOFOLLOW) == 0 && is.st_ino == was->st_ino && is.st_size == was->st_size)
    (void)!write_file(dir, q, u);
  fd_close(dir);
}

/* The same, where only the file is to be asked. */
static int believe_blindly(const char *maildir, const struct quota *q, struct usage *u, int *certain) {
  stralloc text = STRALLOC_INIT;
  size_t lines;
  struct stat st;
  struct quota has;
  int r = read_file(maildir, FAST_FILE_MAX, &text, &st);

  if (r == 1) r = maildirsize_parse(text.s, text.len, &has, u, &lines);
  if (r == 1 && (text.len > MAILDIRSIZE_FILE_MAX || !same(&has, q))) shorten(maildir, q, u, &st);
  *certain = 1;
  stralloc_free(&text);
  return r;
}

struct maildirsize_rules maildirsize_rules(const struct conf *conf) {
  return (struct maildirsize_rules){conf_flag(conf, SET_include_trash), conf_flag(conf, SET_fast_quota)};
}

int maildirsize_quota(const char *maildir, struct quota *q, struct strerr *e) {
  int fd = open_file(maildir, O_RDONLY);
  char buf[LINE_BYTES];
  ssize_t n;
  size_t end;

  if (fd == -1) return errno == ENOENT || errno == ELOOP ? 0 : strerr_sys(e, "unable to read maildirsize of ", maildir, (char *)0);
  n = read(fd, buf, sizeof buf);
  if (n == -1) strerr_sys(e, "unable to read maildirsize of ", maildir, (char *)0);
  fd_close(fd);
  if (n == -1) return -1;
  end = bytes_chr(buf, (size_t)n, '\n');
  return end < (size_t)n && quota_parse(buf, end, q);
}

int maildirsize_usage(const char *maildir, const struct quota *q, const struct maildirsize_rules *rules, int fresh, struct usage *u,
                      int *certain, struct strerr *e) {
  int r = fresh ? 0 : rules->fast ? believe_blindly(maildir, q, u, certain) : believe(maildir, q, u, certain);
  int dir;

  if (r == 1) return 0;
  dir = r == -1 ? -1 : open(maildir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  *certain = 1;
  r = dir == -1 ? -1 : recount(dir, q, rules, u);
  fd_close(dir);
  return r == -1 ? strerr_sys(e, "unable to find the usage of ", maildir, (char *)0) : 0;
}

static int fits(const struct quota *q, const struct usage *u, uint64_t bytes, uint64_t count) {
  if (q->bytes && (bytes > q->bytes || (uint64_t)u->bytes > q->bytes - bytes)) return 0;
  return !q->count || (count <= q->count && (uint64_t)u->count <= q->count - count);
}

int maildirsize_fits(const char *maildir, const struct quota *q, const struct maildirsize_rules *rules, uint64_t bytes, uint64_t count,
                     struct usage *u, struct strerr *e) {
  int certain;

  if (maildirsize_usage(maildir, q, rules, 0, u, &certain, e) == -1) return -1;
  if (fits(q, u, bytes, count)) return 1;
  if (certain) return 0;
  if (maildirsize_usage(maildir, q, rules, 1, u, &certain, e) == -1) return -1;
  return fits(q, u, bytes, count);
}

int maildirsize_add(const char *maildir, int64_t bytes, int64_t count, struct strerr *e) {
  stralloc line = STRALLOC_INIT;
  int r = -1, fd = -1;

  errno = ENOMEM;
  if (stralloc_cati64(&line, bytes) && stralloc_append(&line, ' ') && stralloc_cati64(&line, count) &&
      stralloc_append(&line, '\n')) {
    fd = open_file(maildir, O_WRONLY | O_APPEND);
    r = fd == -1 ? (errno == ENOENT ? 0 : -1) : fd_write_all(fd, line.s, line.len);
  }
  if (r == -1) strerr_sys(e, "unable to write maildirsize of ", maildir, (char *)0);
  fd_close(fd);
  stralloc_free(&line);
  return r;
}
