/* tls_handoff: see tls_handoff.h and tls_client.h. */
#include "net/tls_handoff.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/spawn.h"
#include "base/wait.h"
#include "net/connect.h"
#include "net/fdpass.h"
#include "net/tls_proto.h"

#define HANDSHAKE_MS_MAX 3600000
#define CONTROL_FD 3 /* where `qmail-tlsd -1` finds its socket */

/* One for this connection alone.  It leaves us at once (its own child does the
 * work), so that a program which becomes another one has no child to wait for. */
static int start_own(const char *program, struct strerr *e) {
  char *const argv[] = {(char *)(uintptr_t) "qmail-tlsd", (char *)(uintptr_t) "-1", 0};
  struct spawn s = {.path = program, .argv = argv};
  int pair[2];
  pid_t pid;

  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
    return strerr_sys(e, "unable to make a socket", (char *)0);
  spawn_move(&s, pair[1], CONTROL_FD);
  pid = spawn_start(&s, e);
  fd_close(pair[1]);
  if (pid != -1 && spawn_wait(pid) == 0) return pair[0];
  if (pid != -1) strerr_set(e, program, " failed", (char *)0);
  return fd_close(pair[0]);
}

static int hand_over(const struct tls_places *at, const char *request, size_t n, const int fd[2],
                     struct strerr *e) {
  int sock = connect_unix(at->socket, SOCK_SEQPACKET);
  int r = -1;

  if (sock != -1) {
    r = fdpass_send(sock, request, n, fd, 2);
    fd_close(sock);
  }
  if (r == 0) return 0;
  sock = start_own(at->program, e);
  if (sock == -1) return -1;
  r = fdpass_send(sock, request, n, fd, 2);
  if (r == -1) strerr_sys(e, "unable to reach qmail-tlsd", (char *)0);
  fd_close(sock);
  return r;
}

/* The status line; what follows belongs to the caller: looked at first, and taken up to the LF. */
static int read_status(int fd, deadline when, char buf[TLS_STATUS_MAX], size_t *n, struct strerr *e) {
  *n = 0;
  while (*n < TLS_STATUS_MAX) {
    size_t line, take;
    ssize_t got;

    if (wait_fd(fd, POLLIN, when) == -1) return strerr_sys(e, "TLS handshake failed", (char *)0);
    got = recv(fd, buf + *n, TLS_STATUS_MAX - *n, MSG_PEEK | MSG_DONTWAIT);
    if (got == -1 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) break;
    line = bytes_chr(buf + *n, (size_t)got, '\n');
    take = line + (line < (size_t)got);
    if (recv(fd, buf + *n, take, MSG_DONTWAIT) != (ssize_t)take) break;
    *n += line;
    if (take > line) return 0;
  }
  if (*n == TLS_STATUS_MAX) return strerr_set(e, "TLS handshake failed: bad answer of qmail-tlsd", (char *)0);
  return strerr_set(e, "TLS handshake failed: qmail-tlsd went away", (char *)0);
}

static int get_status(int fd, deadline when, struct tls_info *info, struct strerr *e) {
  char line[TLS_STATUS_MAX];
  stralloc error = STRALLOC_INIT;
  size_t n;
  int r;

  if (read_status(fd, when, line, &n, e) == -1) return -1;
  r = tls_status_parse(line, n, info, &error);
  if (r == 0) strerr_set(e, "TLS handshake failed: ", stralloc_cstr(&error), (char *)0);
  if (r == -1) strerr_set(e, "TLS handshake failed: bad answer of qmail-tlsd", (char *)0);
  stralloc_free(&error);
  return r == 1 ? 0 : -1;
}

static int fill(struct tls_wire *w, const struct tls_request *r, deadline when) {
  size_t n = r->name ? strlen(r->name) : 0;
  int ms = deadline_poll_ms(when, mono_now());

  memset(w, 0, sizeof *w);
  if (n > TLS_NAME_MAX) return 0;
  if (n) memcpy(w->name, r->name, n);
  w->role = r->role;
  w->verify = r->verify;
  w->ms = ms < 0 || ms > HANDSHAKE_MS_MAX ? HANDSHAKE_MS_MAX : (uint32_t)ms;
  return 1;
}

int tls_handoff(int netfd, const struct tls_places *at, const struct tls_request *r, deadline when,
                struct tls_info *info, struct strerr *e) {
  char request[TLS_REQUEST_MAX];
  struct tls_wire w;
  int pair[2], fd[2], sent;
  size_t n;

  n = fill(&w, r, when) ? tls_request_fmt(request, &w) : 0;
  if (!n) {
    strerr_set(e, "not a server name for TLS", (char *)0);
    return fd_close(netfd);
  }
  if (fd_socketpair(pair) == -1) {
    strerr_sys(e, "unable to make a socket", (char *)0);
    return fd_close(netfd);
  }
  fd[0] = netfd;
  fd[1] = pair[1];
  sent = hand_over(at, request, n, fd, e);
  fd_close(netfd);
  fd_close(pair[1]);
  if (sent == -1 || get_status(pair[0], when, info, e) == -1) return fd_close(pair[0]);
  return pair[0];
}

void tls_info_free(struct tls_info *info) {
  stralloc_free(&info->version);
  stralloc_free(&info->cipher);
  stralloc_free(&info->peer);
  stralloc_free(&info->name);
  stralloc_free(&info->bindings);
}
