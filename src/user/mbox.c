/* mbox: see mbox.h. */
#include "user/mbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"

#define LOCK_RETRY_MS 50

static const char from_[] = "From ";
#define FROM_LEN (sizeof from_ - 1)

/* One byte at the start of a line, where only > and From_ matter. */
static int put_start(struct mbox_quote *q, substdio *out, char c) {
  unsigned held = q->held;

  if (c == '>' && !held) return substdio_put(out, &c, 1);
  if (c == from_[held]) {
    if (++q->held < FROM_LEN) return 0;
    if (substdio_putlit(out, ">") == -1 || substdio_put(out, from_, FROM_LEN) == -1) return -1;
    q->held = 0;
    q->in_line = 1;
    return 0;
  }
  q->held = 0;
  q->in_line = c != '\n';
  if (substdio_put(out, from_, held) == -1) return -1;
  return substdio_put(out, &c, 1);
}

int mbox_quote_put(struct mbox_quote *q, substdio *out, const char *s, size_t n) {
  while (n) {
    size_t i;

    q->unfinished = s[n - 1] != '\n';
    if (!q->in_line) {
      if (put_start(q, out, *s) == -1) return -1;
      ++s;
      --n;
      continue;
    }
    i = bytes_chr(s, n, '\n');
    if (i < n) {
      ++i;
      q->in_line = 0;
    }
    if (substdio_put(out, s, i) == -1) return -1;
    s += i;
    n -= i;
  }
  return 0;
}

int mbox_quote_end(struct mbox_quote *q, substdio *out) {
  unsigned held = q->held;

  q->held = 0;
  q->in_line = 0;
  if (substdio_put(out, from_, held) == -1) return -1;
  return q->unfinished ? substdio_putlit(out, "\n") : 0;
}

/* Tries until the deadline: a lock held by a mail reader must not hold us for ever. */
static int lock_until(int fd, deadline by) {
  while (lock_exnb(fd) == -1) {
    if (errno != EWOULDBLOCK) return -1;
    if (mono_now() >= by) {
      errno = ETIMEDOUT;
      return -1;
    }
    (void)poll(0, 0, LOCK_RETRY_MS);
  }
  return 0;
}

/* A message ends with an empty line, or From_ would not begin the next one; what a power
 * loss cut short does not.  -1: cannot be read. */
static int put_missing_end(int fd, off_t size, substdio *out) {
  char last[2] = {'\n', '\n'};
  size_t n = size < 2 ? (size_t)size : 2;

  if (pread(fd, last + 2 - n, n, size - (off_t)n) != (ssize_t)n) return -1;
  if (last[1] != '\n') return substdio_putlit(out, "\n\n");
  return last[0] != '\n' ? substdio_putlit(out, "\n") : 0;
}

static int write_message(int fd, off_t size, int msgfd, const char *from, const char *head, size_t headlen,
                         struct strerr *e) {
  char outbuf[SUBSTDIO_SIZE];
  char buf[SUBSTDIO_SIZE];
  substdio out;
  struct mbox_quote q = {0};
  off_t pos = 0;

  substdio_initfd_write(&out, fd, outbuf, sizeof outbuf);
  if (put_missing_end(fd, size, &out) == -1 || substdio_puts(&out, from) == -1 ||
      substdio_put(&out, head, headlen) == -1)
    return strerr_sys(e, "unable to write message", (char *)0);
  for (;;) {
    ssize_t r = pread(msgfd, buf, sizeof buf, pos);

    if (r == -1 && errno == EINTR) continue;
    if (r == -1) return strerr_sys(e, "unable to read message", (char *)0);
    if (r == 0) break;
    pos += r;
    if (mbox_quote_put(&q, &out, buf, (size_t)r) == -1)
      return strerr_sys(e, "unable to write message", (char *)0);
  }
  if (mbox_quote_end(&q, &out) == -1 || substdio_putlit(&out, "\n") == -1 || substdio_flush(&out) == -1 ||
      fsync(fd) == -1)
    return strerr_sys(e, "unable to write message", (char *)0);
  return 0;
}

/* A file that was empty may be new: its name must be on disk too. */
static int sync_name(const char *path) {
  stralloc dir = STRALLOC_INIT;
  int r = file_dirname(path, &dir) == -1 ? -1 : fd_syncdir(dir.s);

  stralloc_free(&dir);
  return r;
}

static int append(const char *path, int fd, int msgfd, const char *from, const char *head,
                  size_t headlen, deadline by, struct strerr *e) {
  struct stat st;
  int r;

  if (fstat(fd, &st) == -1) return strerr_sys(e, "unable to read ", path, (char *)0);
  if (!S_ISREG(st.st_mode)) return strerr_set(e, path, " is not a regular file", (char *)0);
  if (lock_until(fd, by) == -1) return strerr_sys(e, "unable to lock ", path, (char *)0);
  if (fstat(fd, &st) == -1) return strerr_sys(e, "unable to read ", path, (char *)0);
  r = write_message(fd, st.st_size, msgfd, from, head, headlen, e);
  if (r == 0 && st.st_size == 0 && sync_name(path) == -1)
    r = strerr_sys(e, "unable to sync the directory of ", path, (char *)0);
  if (r == -1 && (ftruncate(fd, st.st_size) == -1 || fsync(fd) == -1))
    r = strerr_sys(e, "unable to take back a part of a message in ", path, (char *)0);
  return r;
}

enum deliver_result mbox_deliver(const char *path, int msgfd, const char *from, const char *head,
                                 size_t headlen, deadline locked_by, struct strerr *e) {
  int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
  int r;

  if (fd == -1) {
    strerr_sys(e, "unable to open ", path, (char *)0);
    return DELIVER_TEMP;
  }
  r = append(path, fd, msgfd, from, head, headlen, locked_by, e);
  fd_close(fd);
  return r == -1 ? DELIVER_TEMP : DELIVER_OK;
}
