/* iodeadline: see iodeadline.h. */
#include "base/iodeadline.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/wait.h"

#define IN_A_ROW 16 /* reads without waiting, then others have their turn */

static int wait_for(const struct iodeadline *io, short events) {
  return wait_fd(io->fd, events, deadline_min(io->when, io->session));
}

static ssize_t read_once(struct iodeadline *io, char *buf, size_t len, int at_once) {
  ssize_t r;

  if (!at_once && wait_for(io, POLLIN) == -1) return -1;
  r = recv(io->fd, buf, len, MSG_DONTWAIT);
  if (r == -1 && errno == ENOTSOCK) {
    if (at_once && wait_for(io, POLLIN) == -1) return -1;
    r = read(io->fd, buf, len);
  }
  io->full = r > 0 && (size_t)r == len ? io->full + 1 : 0;
  return r;
}

ssize_t iodeadline_read(void *ctx, char *buf, size_t len) {
  struct iodeadline *io = ctx;
  ssize_t r = read_once(io, buf, len, io->full % IN_A_ROW != 0);

  while (r == -1 && (errno == EINTR || errno == EAGAIN)) r = read_once(io, buf, len, 0);
  return r;
}

/* A socket mostly takes what it is given, and so does what does not block: it is asked to
 * wait only where it does not. */
ssize_t iodeadline_write(void *ctx, char *buf, size_t len) {
  const struct iodeadline *io = ctx;
  ssize_t w = io->nonblock ? write(io->fd, buf, len) : send(io->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
  int is_socket = !io->nonblock && (w >= 0 || errno != ENOTSOCK);
  int tried = io->nonblock || is_socket;

  while (w == -1 && (!tried || errno == EINTR || errno == EAGAIN)) {
    if (wait_for(io, POLLOUT) == -1) return -1;
    tried = 1;
    w = is_socket ? send(io->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL) : write(io->fd, buf, len);
  }
  return w;
}
