/* iodeadline: see iodeadline.h. */
#include "base/iodeadline.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static int wait_for(const struct iodeadline *io, short events) {
  for (;;) {
    struct pollfd p = {.fd = io->fd, .events = events};
    int r = poll(&p, 1, deadline_poll_ms(deadline_min(io->when, io->session), mono_now()));

    if (r > 0) return 0;
    if (r == 0) {
      errno = ETIMEDOUT;
      return -1;
    }
    if (errno != EINTR) return -1;
  }
}

ssize_t iodeadline_read(void *ctx, char *buf, size_t len) {
  const struct iodeadline *io = ctx;

  for (;;) {
    ssize_t r;

    if (wait_for(io, POLLIN) == -1) return -1;
    r = read(io->fd, buf, len);
    if (r >= 0 || (errno != EINTR && errno != EAGAIN)) return r;
  }
}

ssize_t iodeadline_write(void *ctx, char *buf, size_t len) {
  const struct iodeadline *io = ctx;

  for (;;) {
    ssize_t w;

    if (wait_for(io, POLLOUT) == -1) return -1;
    w = write(io->fd, buf, len);
    if (w >= 0 || (errno != EINTR && errno != EAGAIN)) return w;
  }
}
