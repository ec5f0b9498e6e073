/* connect: see connect.h. */
#include "net/connect.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"
#include "base/wait.h"

/* Wait for a connect under way to end: 0, or -1 with its errno. */
static int finish(int fd, deadline when) {
  int err = 0;
  socklen_t len = sizeof err;

  if (wait_fd(fd, POLLOUT, when) == -1) return -1;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1) return -1;
  errno = err;
  return err ? -1 : 0;
}

static int begin(int fd, const struct ip *to, uint16_t port, const struct ip *from, deadline when) {
  struct sockaddr_storage sa;
  socklen_t len;

  if (from && from->family && !ip_is_any(from)) {
    len = ip_to_sockaddr(from, 0, &sa);
    if (bind(fd, (struct sockaddr *)&sa, len) == -1) return -1;
  }
  len = ip_to_sockaddr(to, port, &sa);
  if (connect(fd, (struct sockaddr *)&sa, len) == 0) return 0;
  return errno == EINPROGRESS || errno == EINTR ? finish(fd, when) : -1;
}

int connect_tcp(const struct ip *to, uint16_t port, const struct ip *from, deadline when) {
  int fd;

  if (from && from->family && !ip_is_any(from) && from->family != to->family) {
    errno = EAFNOSUPPORT;
    return -1;
  }
  fd = socket(to->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd == -1) return -1;
  if (begin(fd, to, port, from, when) == -1 || fd_block(fd) == -1) return fd_close(fd);
  return fd;
}

int connect_unix(const char *path, int type) {
  struct sockaddr_un sa = {.sun_family = AF_UNIX};
  size_t n = strlen(path);
  int fd;

  if (n >= sizeof sa.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(sa.sun_path, path, n + 1);
  fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd == -1) return -1;
  if (connect(fd, (struct sockaddr *)&sa, sizeof sa) == -1 || fd_block(fd) == -1) return fd_close(fd);
  return fd;
}
