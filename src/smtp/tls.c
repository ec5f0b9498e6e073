/* tls: see tls.h. */
#include "smtp/tls.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/wait.h"

#define HANDSHAKE_SECONDS 120

static int failed(struct session *s, const char *why) {
  LOG(2, session_prefix(&s->c), smtp_tls_failed, log_s(s->c.ip), log_u(s->c.number), log_s(why));
  s->over = 1;
  return -1;
}

static int start(struct session *s, struct strerr *e) {
  static const struct tls_request server = {.role = TLS_SERVER};
  int fd = fcntl(s->io_in.fd, F_DUPFD_CLOEXEC, 3);
  deadline when = deadline_min(s->io_in.when, deadline_in(HANDSHAKE_SECONDS));

  if (fd == -1) return strerr_sys(e, "unable to pass the connection on", (char *)0);
  return tls_start(fd, &server, when, &s->c.tls_info, e);
}

/* As dup2, but not where a program we start would get it as well. */
static int put(int fd, int where) {
  return dup3(fd, where, where > 2 ? O_CLOEXEC : 0);
}

int tls_session(struct session *s) {
  struct strerr e;
  int fd = start(s, &e);

  if (fd == -1) return failed(s, e.text);
  wait_forget(s->io_in.fd);
  if (put(fd, s->io_in.fd) == -1 || put(fd, s->io_out.fd) == -1) {
    fd_close(fd);
    return failed(s, "unable to take over the connection");
  }
  fd_close(fd);
  /* Plaintext sent ahead of the handshake must not count as said inside it. */
  s->in.p = s->in.e = s->out.p = 0;
  s->c.tls = 1;
  if (!s->auth) stralloc_free(&s->c.tls_info.bindings);
  stralloc_cut(&s->c.helo, 0);
  stralloc_cut(&s->c.user, 0); /* whoever logged in before the handshake need not be at its other end */
  s->c.authenticated = s->c.auth_may_relay = 0;
  s->c.extended = 0;
  session_reset(s);
  s->state = STATE_NEW;
  return 0;
}
