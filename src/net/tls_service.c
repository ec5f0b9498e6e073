/* tls_service: see tls_service.h. */
#include "net/tls_service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/fdpass.h"

#define ASK_SECONDS 5
#define ASKING_MAX 256

struct asker {
  struct tls_service *service;
  struct loop_io io;
  struct loop_timer timer;
};

static void stop_when_idle(struct tls_service *s) {
  if (s->stopping && !s->relays.count && !s->asking) loop_stop(&s->loop);
}

static void on_gone(void *ctx) {
  stop_when_idle(ctx);
}

int tls_service_init(struct tls_service *s) {
  s->relays.loop = &s->loop;
  s->relays.gone = on_gone;
  s->relays.ctx = s;
  return loop_init(&s->loop);
}

/* Answers a request: 0, or -1 if it was none. */
static int take(struct tls_service *s, const char *text, size_t n, const int *fd, size_t fds) {
  struct tls_wire w;

  if (fds != 2 || !tls_request_parse(text, n, &w)) {
    while (fds) fd_close(fd[--fds]);
    return -1;
  }
  if (w.role == TLS_SERVER && s->before) s->before(s->ctx);
  tls_relay_start(&s->relays, &s->engine, &w, fd[0], fd[1]);
  return 0;
}

static int receive(struct tls_service *s, int sock) {
  char text[TLS_REQUEST_MAX];
  int fd[FDPASS_MAX];
  size_t fds;
  ssize_t n = fdpass_recv(sock, text, sizeof text, fd, &fds);

  if (n == -1) return -1;
  return take(s, text, (size_t)n, fd, fds);
}

static void forget(struct asker *a) {
  struct tls_service *s = a->service;

  loop_io_remove(&s->loop, &a->io);
  loop_timer_cancel(&s->loop, &a->timer);
  fd_close(a->io.fd);
  free(a);
  --s->asking;
  stop_when_idle(s);
}

static void on_request(void *ctx, int fd, unsigned events) {
  struct asker *a = ctx;

  if (receive(a->service, fd) == -1 && errno == EAGAIN) return;
  forget(a);
}

static void on_silence(void *ctx) {
  forget(ctx);
}

static void on_connect(void *ctx, int fd, unsigned events) {
  struct tls_service *s = ctx;
  int sock = accept4(fd, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
  struct asker *a;

  if (sock == -1) return;
  a = s->asking < ASKING_MAX ? calloc(1, sizeof *a) : 0;
  if (!a) {
    fd_close(sock);
    return;
  }
  a->service = s;
  ++s->asking;
  a->io.fd = sock;
  if (loop_io_add(&s->loop, &a->io, sock, LOOP_READ, on_request, a) == -1 ||
      loop_timer_set(&s->loop, &a->timer, deadline_in(ASK_SECONDS), on_silence, a) == -1)
    forget(a);
}

int tls_service_listen(struct tls_service *s, int fd) {
  return loop_io_add(&s->loop, &s->listener, fd, LOOP_READ, on_connect, s);
}

int tls_service_once(struct tls_service *s, int fd) {
  int r = receive(s, fd);

  fd_close(fd);
  return r;
}

void tls_service_stop(struct tls_service *s) {
  s->stopping = 1;
  if (s->listener.active) {
    loop_io_remove(&s->loop, &s->listener);
    fd_close(s->listener.fd);
  }
  stop_when_idle(s);
}
