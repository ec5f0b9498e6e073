/* rates: the directory of rates; see rate.h. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "send/rate.h"

#define CONTROL_FILE "ratecontrol"
#define GLOBAL_FILE ".global"
#define CONTROL_MAX (1u << 20)

int rates_open(struct rates *rs, const char *dir, int64_t interval, struct strerr *e) {
  rs->interval = interval;
  rs->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return rs->dir == -1 ? strerr_sys(e, "unable to open the directory of rates ", dir, (char *)0) : 0;
}

void rates_close(struct rates *rs) {
  rs->dir = fd_close(rs->dir);
}

int rate_name_ok(const char *domain) {
  size_t n = strlen(domain);

  return n < RATE_NAME - 2 && file_name_ok(domain, n) && domain[0] != '.' && domain[0] != '@' &&
         strcmp(domain, CONTROL_FILE);
}

/* The descriptor, or -1.  What root makes is given to the directory's owner. */
static int open_file(const struct rates *rs, const char *name, int create) {
  int fd = openat(rs->dir, name, O_RDWR | O_CLOEXEC | O_NONBLOCK | (create ? O_CREAT : 0), 0600);
  struct stat st, of_dir;

  if (fd == -1) return -1;
  if (fstat(fd, &st) == -1 || fstat(rs->dir, &of_dir) == -1) return fd_close(fd);
  if (!S_ISREG(st.st_mode)) {
    errno = EPROTO;
    return fd_close(fd);
  }
  if (create && st.st_uid != of_dir.st_uid && geteuid() == 0) (void)!fchown(fd, of_dir.st_uid, of_dir.st_gid);
  return fd;
}

/* 1, 0: empty, -1 with errno (0: senseless). */
static int read_record(int fd, struct rate_record *r) {
  char buf[RATE_FILE_MAX + 1];
  ssize_t n;

  do n = pread(fd, buf, sizeof buf, 0);
  while (n == -1 && errno == EINTR);
  if (n == -1) return -1;
  if (n == 0) return 0;
  if (rate_parse(r, buf, (size_t)n)) return 1;
  errno = 0;
  return -1;
}

int rates_write(int fd, const struct rate_record *r) {
  char buf[RATE_FILE_MAX];
  struct stat st;
  size_t n;
  ssize_t w;

  if (fstat(fd, &st) == -1) return -1;
  n = rate_format(buf, r, (size_t)st.st_size);
  do w = pwrite(fd, buf, n, 0);
  while (w == -1 && errno == EINTR);
  if (w == -1) return -1;
  if ((size_t)w != n) {
    errno = ENOSPC;
    return -1;
  }
  return st.st_size > (off_t)n ? ftruncate(fd, (off_t)n) : 0; /* no rate file of ours was that long */
}

int rates_open_file(const struct rates *rs, const char *name, int create, struct rate_record *r, int *sound) {
  int fd = open_file(rs, name, create);
  int got;

  if (fd == -1) return -1;
  memset(r, 0, sizeof *r);
  if (lock_ex(fd) == -1) return fd_close(fd);
  got = read_record(fd, r);
  if (got == -1 && errno) return fd_close(fd);
  *sound = got == 1;
  return fd;
}

/* The expression for a domain in ratecontrol: 1, 0 none, -1 with errno (0: senseless). */
static int look_up(const struct rates *rs, const char *domain, struct rate_record *r) {
  stralloc text = STRALLOC_INIT;
  int fd = openat(rs->dir, CONTROL_FILE, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  int found = fd == -1 ? (errno == ENOENT ? 0 : -1) : fd_slurp(fd, &text, CONTROL_MAX) == -1 ? -1 : 0;

  fd_close(fd);
  for (size_t at = 0; found == 0 && at < text.len;) {
    char *line = text.s + at;
    size_t n = bytes_chr(line, text.len - at, '\n');
    size_t colon;

    at += n + 1;
    line[n] = 0; /* the LF, or the NUL behind the text */
    colon = bytes_rchr(line, n, ':');
    if (!n || *line == '#' || colon == n) continue;
    line[colon] = 0;
    if (fnmatch(line, domain, FNM_CASEFOLD | FNM_NOESCAPE)) continue;
    errno = 0;
    found = rate_set(r, line + colon + 1, strlen(line + colon + 1)) ? 1 : -1;
  }
  stralloc_free(&text);
  return found;
}

/* The file that counts for a domain, open: the descriptor; -1 with errno: ENOENT there is
 * none, 0 a senseless expression.  expression is filled where it is not the file that has it. */
static int find_file(const struct rates *rs, const char *domain, struct rate_record *expression, char name[RATE_NAME]) {
  int fd = -1;

  expression->text[0] = 0;
  if (rate_name_ok(domain)) {
    memcpy(name, domain, strlen(domain) + 1);
    fd = open_file(rs, name, 0);
    if (fd != -1 || errno != ENOENT) return fd;
    memcpy(name, CONTROL_FILE, sizeof CONTROL_FILE);
    switch (look_up(rs, domain, expression)) {
      case 1:
        name[0] = '@';
        memcpy(name + 1, domain, strlen(domain) + 1);
        return open_file(rs, name, 1);
      case 0: break;
      default: return -1;
    }
  }
  memcpy(name, GLOBAL_FILE, sizeof GLOBAL_FILE);
  return open_file(rs, name, 0);
}

/* The record as it is now; a new file, or one whose expression stands elsewhere, gets that. */
static int load(int fd, const struct rate_record *expression, struct rate_record *r) {
  int got = read_record(fd, r);

  if (got == -1 && (errno || !expression->text[0])) return -1;
  if (expression->text[0]) {
    if (got != 1) memset(r, 0, sizeof *r);
    memcpy(r->text, expression->text, sizeof r->text);
    r->limit = expression->limit;
    return 0;
  }
  errno = 0;
  return got == 1 ? 0 : -1;
}

enum rates_answer rates_ask(const struct rates *rs, const char *domain, uint32_t n, int64_t now, int count,
                            struct rate_record *r, int64_t *wait, char name[RATE_NAME]) {
  struct rate_record expression;
  int fd = find_file(rs, domain, &expression, name);
  enum rates_answer answer = RATES_GO;

  *wait = 0;
  if (fd == -1) return errno == ENOENT ? RATES_GO : RATES_TROUBLE;
  if (lock_exnb(fd) == -1) {
    answer = errno == EWOULDBLOCK ? RATES_BUSY : RATES_TROUBLE;
  } else if (load(fd, &expression, r) == -1) {
    answer = RATES_TROUBLE;
  } else {
    *wait = rate_judge(r, n, now, rs->interval);
    if (*wait) answer = RATES_WAIT;
    else if (count && rates_write(fd, r) == -1) answer = RATES_TROUBLE;
  }
  fd_close(fd);
  return answer;
}
