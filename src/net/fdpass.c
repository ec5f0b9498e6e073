/* fdpass: see fdpass.h. */
#include "net/fdpass.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
  struct cmsghdr align;
  char space[CMSG_SPACE(FDPASS_MAX * sizeof(int))];
};

int fdpass_send(int sock, const void *buf, size_t n, const int *fd, size_t fds) {
  union control control;
  struct iovec iov = {.iov_base = (void *)(uintptr_t)buf, .iov_len = n};
  struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
  ssize_t w;

  if (fds > FDPASS_MAX) {
    errno = EINVAL;
    return -1;
  }
  if (fds) {
    struct cmsghdr *c;

    memset(&control, 0, sizeof control);
    m.msg_control = &control;
    m.msg_controllen = CMSG_SPACE(fds * sizeof *fd);
    c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds * sizeof *fd);
    memcpy(CMSG_DATA(c), fd, fds * sizeof *fd);
  }
  do w = sendmsg(sock, &m, MSG_NOSIGNAL);
  while (w == -1 && errno == EINTR);
  return w == (ssize_t)n ? 0 : -1;
}

static size_t take_fds(struct msghdr *m, int fd[FDPASS_MAX]) {
  size_t n = 0;

  for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
    size_t have = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    for (size_t i = 0; i < have; ++i) {
      int one;

      memcpy(&one, CMSG_DATA(c) + i * sizeof one, sizeof one);
      if (n < FDPASS_MAX) fd[n++] = one;
      else close(one);
    }
  }
  return n;
}

ssize_t fdpass_recv(int sock, void *buf, size_t n, int fd[FDPASS_MAX], size_t *fds) {
  union control control;
  struct iovec iov = {.iov_base = buf, .iov_len = n};
  struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t r;

  *fds = 0;
  do r = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
  while (r == -1 && errno == EINTR);
  if (r == -1) return -1;
  *fds = take_fds(&m, fd);
  if (!(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) return r;
  while (*fds) close(fd[--*fds]);
  errno = EMSGSIZE;
  return -1;
}
