/* tls_relay: see tls_relay.h. */
#include "net/tls_relay.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define RECORD 16384
#define TURNS 8   /* records moved in one go before others have their turn */
#define LINGER 20

/* Bytes that the far side did not take yet; nothing is allocated when empty. */
struct held {
  char *buf;
  size_t at, n;
};

struct tls_relay {
  struct tls_relays *all;
  SSL *ssl;
  int net, plain;
  struct loop_io net_io, plain_io;
  struct loop_timer timer;
  deadline last;          /* when a byte last moved */
  struct held to_net, to_plain;
  int shaking;            /* handshake not done */
  int net_ended;          /* the peer will send no more */
  int plain_ended;        /* our program will send no more */
  int plain_gone;         /* nor take any more */
  int lingering;          /* the timer knows that */
  int told_net, told_plain; /* the ends passed on */
  int read_wants_write, write_wants_read;
};

static void end(struct tls_relay *r) {
  struct tls_relays *all = r->all;

  loop_io_remove(all->loop, &r->net_io);
  loop_io_remove(all->loop, &r->plain_io);
  loop_timer_cancel(all->loop, &r->timer);
  SSL_free(r->ssl);
  fd_close(r->net);
  fd_close(r->plain);
  free(r->to_net.buf);
  free(r->to_plain.buf);
  free(r);
  ERR_clear_error();
  --all->count;
  if (all->gone) all->gone(all->ctx);
}

static void tell_status(int plainfd, const struct tls_info *info, const char *why) {
  char line[TLS_STATUS_MAX];
  size_t n = tls_status_fmt(line, info, why);

  (void)!send(plainfd, line, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void tls_relay_refuse(int netfd, int plainfd, const char *why) {
  tell_status(plainfd, 0, why);
  fd_close(netfd);
  fd_close(plainfd);
}

static int hold(struct held *h, const char *s, size_t n) {
  h->buf = malloc(n);
  if (!h->buf) return -1;
  memcpy(h->buf, s, n);
  h->at = 0;
  h->n = n;
  return 0;
}

static void release(struct held *h) {
  free(h->buf);
  memset(h, 0, sizeof *h);
}

/* What an SSL call says: 1 try later, 0 orderly end, -1 lost. */
static int later(struct tls_relay *r, int result, int *crossed) {
  int why = SSL_get_error(r->ssl, result);

  *crossed = 0;
  if (why == SSL_ERROR_ZERO_RETURN) return 0;
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    *crossed = why;
    return 1;
  }
  return -1;
}

/* Bytes taken by the network, 0 when it takes none now, -1 when it is lost. */
static ssize_t to_network(struct tls_relay *r, const char *s, size_t n) {
  int crossed, w;

  ERR_clear_error();
  w = SSL_write(r->ssl, s, (int)n);
  r->write_wants_read = 0;
  if (w > 0) {
    r->last = mono_now();
    return w;
  }
  if (later(r, w, &crossed) != 1) return -1;
  r->write_wants_read = crossed == SSL_ERROR_WANT_READ;
  return 0;
}

/* The same for our program; one that has gone takes everything. */
static ssize_t to_program(struct tls_relay *r, const char *s, size_t n) {
  ssize_t w;

  if (r->plain_gone) return (ssize_t)n;
  do w = send(r->plain, s, n, MSG_NOSIGNAL);
  while (w == -1 && errno == EINTR);
  if (w >= 0) return w;
  if (errno == EAGAIN) return 0;
  r->plain_gone = 1;
  return (ssize_t)n;
}

typedef ssize_t (*taker)(struct tls_relay *r, const char *s, size_t n);

/* 1 when nothing is held any more, 0 when something is, -1 lost. */
static int drain(struct tls_relay *r, struct held *h, taker take) {
  while (h->buf) {
    ssize_t w = take(r, h->buf + h->at, h->n - h->at);

    if (w <= 0) return (int)w;
    h->at += (size_t)w;
    if (h->at == h->n) release(h);
  }
  return 1;
}

static int pass(struct tls_relay *r, struct held *h, taker take, const char *s, size_t n) {
  while (n) {
    ssize_t w = take(r, s, n);

    if (w == -1) return -1;
    if (w == 0) return hold(h, s, n);
    s += w;
    n -= (size_t)w;
  }
  return 0;
}

static int from_network(struct tls_relay *r) {
  char buf[RECORD];

  for (int turn = 0; turn < TURNS && !r->net_ended; ++turn) {
    int got, crossed, state = drain(r, &r->to_plain, to_program);

    if (state != 1) return state;
    ERR_clear_error();
    got = SSL_read(r->ssl, buf, sizeof buf);
    r->read_wants_write = 0;
    if (got <= 0) {
      state = later(r, got, &crossed);
      if (state == -1) return -1;
      if (state == 0) r->net_ended = 1;
      r->read_wants_write = crossed == SSL_ERROR_WANT_WRITE;
      break;
    }
    if (!r->plain_gone) r->last = mono_now();
    if (pass(r, &r->to_plain, to_program, buf, (size_t)got) == -1) return -1;
  }
  if (r->net_ended && !r->to_plain.buf && !r->told_plain) {
    r->told_plain = 1;
    shutdown(r->plain, SHUT_WR);
  }
  return 0;
}

/* Has our program closed its end altogether, or only said that it is done? */
static int hung_up(int fd) {
  struct pollfd p = {.fd = fd};

  return poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR);
}

static void close_network(struct tls_relay *r) {
  r->told_net = 1;
  ERR_clear_error();
  if (SSL_shutdown(r->ssl) < 0) ERR_clear_error();
  shutdown(r->net, SHUT_WR);
}

static int from_program(struct tls_relay *r) {
  char buf[RECORD];

  for (int turn = 0; turn < TURNS && !r->plain_ended; ++turn) {
    int state = drain(r, &r->to_net, to_network);
    ssize_t got;

    if (state != 1) return state;
    got = read(r->plain, buf, sizeof buf);
    if (got == -1 && errno == EINTR) continue;
    if (got == -1 && errno == EAGAIN) break;
    if (got <= 0) {
      r->plain_ended = 1;
      if (got == -1 || hung_up(r->plain)) r->plain_gone = 1;
      break;
    }
    if (pass(r, &r->to_net, to_network, buf, (size_t)got) == -1) return -1;
  }
  if (!r->plain_ended || r->told_net) return 0;
  if (drain(r, &r->to_net, to_network) == -1) return -1;
  if (!r->to_net.buf) close_network(r);
  return 0;
}

static void on_timer(void *ctx);

static deadline limit(const struct tls_relay *r) {
  int64_t linger = r->all->linger ? r->all->linger : LINGER;

  return r->last + (r->plain_gone ? linger : r->all->idle) * NS_PER_S;
}

static int set_timer(struct tls_relay *r) {
  r->lingering = r->plain_gone;
  return loop_timer_set(r->all->loop, &r->timer, limit(r), on_timer, r);
}

/* A watcher that wants nothing is taken out: the loop would report its hang-up for
 * ever. */
static int watch(struct loop *l, struct loop_io *io, int fd, unsigned events, loop_io_fn fn, void *ctx) {
  if (!events) {
    loop_io_remove(l, io);
    return 0;
  }
  return io->active ? loop_io_set(l, io, events) : loop_io_add(l, io, fd, events, fn, ctx);
}

static void on_ready(void *ctx, int fd, unsigned events);

static int watch_both(struct tls_relay *r) {
  unsigned net = 0, plain = 0;

  if (!r->net_ended && !r->to_plain.buf) net |= r->read_wants_write ? LOOP_WRITE : LOOP_READ;
  if (r->to_net.buf) net |= r->write_wants_read ? LOOP_READ : LOOP_WRITE;
  if (r->to_plain.buf) plain |= LOOP_WRITE;
  if (!r->plain_ended && !r->to_net.buf) plain |= LOOP_READ;
  if (watch(r->all->loop, &r->net_io, r->net, net, on_ready, r) == -1) return -1;
  return watch(r->all->loop, &r->plain_io, r->plain, plain, on_ready, r);
}

static int shaken(struct tls_relay *r) {
  struct tls_info info = {0};
  int ok = tls_engine_describe(r->ssl, &info);

  if (ok) tell_status(r->plain, &info, 0);
  tls_info_free(&info);
  r->shaking = 0;
  r->last = mono_now();
  return ok ? set_timer(r) : -1;
}

/* 0, or -1 when the connection is over. */
static int shake(struct tls_relay *r) {
  int got, crossed;
  struct strerr e;

  ERR_clear_error();
  got = SSL_do_handshake(r->ssl);
  if (got == 1) return shaken(r) == -1 ? -1 : watch_both(r);
  if (later(r, got, &crossed) == 1)
    return watch(r->all->loop, &r->net_io, r->net, crossed == SSL_ERROR_WANT_READ ? LOOP_READ : LOOP_WRITE, on_ready, r);
  tls_engine_reason(r->ssl, &e);
  tell_status(r->plain, 0, e.text);
  return -1;
}

/* 0, or -1 when the connection is over. */
static int move(struct tls_relay *r, int fd, unsigned events) {
  int from_net = fd == r->net || events & LOOP_WRITE;

  if (from_net && from_network(r) == -1) return -1;
  if ((fd == r->plain || r->to_net.buf) && from_program(r) == -1) return -1;
  if (r->told_net && r->told_plain) return -1;
  if (r->plain_gone && !r->lingering && set_timer(r) == -1) return -1;
  return watch_both(r);
}

static void on_ready(void *ctx, int fd, unsigned events) {
  struct tls_relay *r = ctx;

  if ((r->shaking ? shake(r) : move(r, fd, events)) == -1) end(r);
}

static void on_timer(void *ctx) {
  struct tls_relay *r = ctx;

  if (r->shaking) tell_status(r->plain, 0, "handshake timed out");
  if (r->shaking || limit(r) <= mono_now() || set_timer(r) == -1) end(r);
}

void tls_relay_start(struct tls_relays *all, struct tls_engine *t, const struct tls_wire *w, int netfd, int plainfd) {
  struct tls_relay *r = calloc(1, sizeof *r);
  struct strerr e;

  if (!r || fd_nonblock(netfd) == -1 || fd_nonblock(plainfd) == -1) {
    free(r);
    tls_relay_refuse(netfd, plainfd, "out of memory");
    return;
  }
  r->all = all;
  r->net = netfd;
  r->plain = plainfd;
  r->shaking = 1;
  r->ssl = tls_engine_new(t, w, netfd, &e);
  if (!r->ssl) {
    free(r);
    tls_relay_refuse(netfd, plainfd, e.text);
    return;
  }
  ++all->count;
  if (loop_timer_set(all->loop, &r->timer, mono_now() + (int64_t)w->ms * NS_PER_MS, on_timer, r) == -1 || shake(r) == -1)
    end(r);
}
