/* worker_proto: see worker_proto.h. */
#include "queue/worker_proto.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/bytes.h"

int worker_job_format(stralloc *out, const char *const *field, size_t n) {
  stralloc_cut(out, 0);
  for (size_t i = 0; i < n; ++i)
    if (!stralloc_catz(out, field[i], strlen(field[i]))) return 0;
  return 1;
}

size_t worker_job_parse(const char *s, size_t n, const char **field, size_t max) {
  size_t i;

  for (i = 0; n; ++i) {
    size_t len = bytes_chr(s, n, 0);

    if (len == n || i == max) return 0;
    field[i] = s;
    s += len + 1;
    n -= len + 1;
  }
  return i;
}

int worker_answer(int sock, unsigned char code, const char *output, size_t n) {
  unsigned char head;

  do {
    size_t part = n < WORKER_ANSWER_MAX - 1 ? n : WORKER_ANSWER_MAX - 1;
    struct iovec iov[2] = {{&head, 1}, {(void *)(uintptr_t)output, part}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = part ? 2 : 1};
    ssize_t w;

    head = part < n ? WORKER_MORE : code;
    do w = sendmsg(sock, &m, MSG_NOSIGNAL);
    while (w == -1 && errno == EINTR);
    if (w != (ssize_t)part + 1) return -1;
    output += part;
    n -= part;
  } while (n || head == WORKER_MORE);
  return 0;
}
