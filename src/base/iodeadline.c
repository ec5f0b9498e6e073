/* iodeadline: see iodeadline.h. */
#include "base/iodeadline.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/wait.h"

static int wait_for(const struct iodeadline *io, short events) {
  return wait_fd(io->fd, events, deadline_min(io->when, io->session));
}

ssize_t iodeadline_read(void *ctx, char *buf, size_t len) {
  const struct iodeadline *io = ctx;

  for (;;) {
    ssize_t r;

    if (wait_for(io, POLLIN) == -1) return -1;
    r = recv(io->fd, buf, len, MSG_DONTWAIT);
    if (r == -1 && errno == ENOTSOCK) r = read(io->fd, buf, len);
    if (r >= 0 || (errno != EINTR && errno != EAGAIN)) return r;
  }
}

/* A socket mostly takes what it is given: it is asked to wait only where it does not. */
ssize_t iodeadline_write(void *ctx, char *buf, size_t len) {
  const struct iodeadline *io = ctx;
  ssize_t w = send(io->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
  int is_socket = w >= 0 || errno != ENOTSOCK;

  while (w == -1 && (!is_socket || errno == EINTR || errno == EAGAIN)) {
    if (wait_for(io, POLLOUT) == -1) return -1;
    if (is_socket) {
      w = send(io->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
      w = write(io->fd, buf, len);
      if (w == -1 && errno != EINTR && errno != EAGAIN) return -1;
    }
  }
  return w;
}
