/* answered: see answered.h. */
#include "local/answered.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/fmt.h"
#include "base/lock.h"
#include "base/scan.h"
#include "queue/crc32.h"

#define NAME_LONGEST 200
#define FILE_LONGEST 65536

static int is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("._-@", c));
}

int answered_name(const char *address, stralloc *name) {
  size_t n = strlen(address);
  char digits[8];

  stralloc_cut(name, 0);
  for (size_t i = 0; i < n && name->len < NAME_LONGEST; ++i) {
    char c = address[i] >= 'A' && address[i] <= 'Z' ? (char)(address[i] + 32) : address[i];
    int plain = is_plain(c) && !(c == '.' && !i); /* none is hidden, or . or .. */

    if (plain ? !stralloc_append(name, c) : !stralloc_append(name, '=') || !stralloc_catb(name, digits, fmt_hex64_pad(digits, (unsigned char)c, 2)))
      return 0;
  }
  if (name->len < NAME_LONGEST) return n > 0;
  return stralloc_append(name, '=') && stralloc_catb(name, digits, fmt_hex64_pad(digits, crc32(0, address, n), 8));
}

/* Answers at or behind this time. */
static uint64_t count(const stralloc *text, int64_t since) {
  uint64_t n = 0;

  for (size_t at = 0; at < text->len;) {
    size_t len = bytes_chr(text->s + at, text->len - at, '\n');
    int64_t t;

    if (scan_i64(text->s + at, len, &t) && t >= since) ++n;
    at += len + 1;
  }
  return n;
}

static int remember(int fd, int64_t now) {
  stralloc line = STRALLOC_INIT;
  int r = stralloc_cati64(&line, now) && stralloc_append(&line, '\n') ? fd_write_all(fd, line.s, line.len) : -1;

  stralloc_free(&line);
  return r;
}

static int look(int fd, uint64_t max, int64_t seconds, int64_t now) {
  stralloc text = STRALLOC_INIT;
  int64_t since = seconds < 0 || seconds > now ? 0 : now - seconds;
  int r = lock_ex(fd) == -1 || fd_slurp(fd, &text, FILE_LONGEST) == -1 ? -1 : count(&text, since) < max;

  /* What is long ago need not stay. */
  if (r == 1 && since && !count(&text, since) && text.len && ftruncate(fd, 0) == -1) r = -1;
  if (r == 1) r = remember(fd, now) == -1 ? -1 : 1;
  stralloc_free(&text);
  return r;
}

int answered_may(const char *dir, const char *address, uint64_t max, int64_t seconds, int64_t now, struct strerr *e) {
  stralloc name = STRALLOC_INIT, path = STRALLOC_INIT;
  int fd = -1, r = -1;

  errno = ENOMEM;
  if (answered_name(address, &name) && stralloc_catm(&path, dir, "/", name.s, (char *)0)) {
    if (mkdir(dir, 0700) == 0 || errno == EEXIST) fd = open(path.s, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd != -1) r = look(fd, max, seconds, now);
  }
  if (r == -1) strerr_sys(e, "unable to use ", stralloc_cstr(&path), (char *)0);
  fd_close(fd);
  stralloc_free(&name);
  stralloc_free(&path);
  return r;
}
