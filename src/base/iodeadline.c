/* iodeadline: see iodeadline.h. */
#include "base/iodeadline.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/wait.h"

#define LONG_NS (3600 * NS_PER_S) /* so long one recv waits at most, then another */
#define SOON_NS (50 * NS_PER_MS)
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

/* Less than is left: the next answer, waited for as long, finds the timeout as it needs it. */
static int be_patient(struct iodeadline *io, int64_t left) {
  int64_t ns = left > SOON_NS ? left - left / 8 : left;
  struct timeval t = {.tv_sec = ns / NS_PER_S, .tv_usec = ns % NS_PER_S / 1000 + 1}; /* 0 would be for ever */

  if (io->patience <= left && io->patience > left / 2) return 0;
  if (setsockopt(io->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == -1) return -1;
  io->patience = ns;
  return 0;
}

ssize_t iodeadline_answer(void *ctx, char *buf, size_t len) {
  struct iodeadline *io = ctx;
  deadline when = deadline_min(io->when, io->session);

  while (wait_for_one()) {
    int64_t left = when - mono_now();
    ssize_t r;

    if (left <= 0 || be_patient(io, left < LONG_NS ? left : LONG_NS) == -1) break;
    r = recv(io->fd, buf, len, 0);
    if (r >= 0 || (errno != EINTR && errno != EAGAIN)) return r;
  }
  return iodeadline_read(ctx, buf, len);
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
