/* login_line: see login_line.h. */
#include "user/login_line.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/iodeadline.h"

/* Reads up to and including the next LF, as much as there is of it: bytes, 0 at the
 * end, -1.  On a socket a look first tells how much that is. */
static ssize_t read_piece(struct iodeadline *io, char *buf, size_t size) {
  ssize_t n;
  size_t i;

  n = recv(io->fd, buf, size, MSG_PEEK | MSG_DONTWAIT);
  if (n == -1 && errno == ENOTSOCK) return iodeadline_read(io, buf, 1);
  if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
    /* nothing yet: one byte tells when there is something */
    return iodeadline_read(io, buf, 1);
  }
  if (n <= 0) return n;
  i = bytes_chr(buf, (size_t)n, '\n');
  return iodeadline_read(io, buf, i < (size_t)n ? i + 1 : (size_t)n);
}

enum login_read login_line_read(int fd, stralloc *line, size_t max, deadline when) {
  struct iodeadline io = {.fd = fd, .when = when, .session = DEADLINE_NEVER};
  size_t start = line->len;
  enum login_read result = LOGIN_READ_OK;
  char buf[512];

  for (;;) {
    ssize_t n = read_piece(&io, buf, sizeof buf);
    int end = n > 0 && buf[n - 1] == '\n';

    if (n <= 0) result = LOGIN_READ_END;
    else if (result == LOGIN_READ_OK && line->len - start + (size_t)n > max + 2) result = LOGIN_READ_LONG;
    if (result == LOGIN_READ_OK && !stralloc_catb(line, buf, (size_t)n)) result = LOGIN_READ_END;
    if (end || result == LOGIN_READ_END) break;
  }
  explicit_bzero(buf, sizeof buf);
  if (result != LOGIN_READ_OK) return result;
  stralloc_cut(line, line->len - 1);
  if (line->len > start && line->s[line->len - 1] == '\r') stralloc_cut(line, line->len - 1);
  return line->len - start > max ? LOGIN_READ_LONG : LOGIN_READ_OK;
}

enum login_read login_line_bytes(int fd, stralloc *out, size_t n, deadline when) {
  struct iodeadline io = {.fd = fd, .when = when, .session = DEADLINE_NEVER};

  if (!stralloc_readyplus(out, n)) return LOGIN_READ_END;
  while (n) {
    ssize_t r = iodeadline_read(&io, out->s + out->len, n);

    if (r <= 0) return LOGIN_READ_END;
    out->len += (size_t)r;
    out->s[out->len] = 0;
    n -= (size_t)r;
  }
  return LOGIN_READ_OK;
}
