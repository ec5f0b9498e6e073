/* pump: see pump.h.  Each direction holds what its far side has not taken, and reads no more until that
 * is gone: memory stays as it is however fast one side is. */
#include "net/pump.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/now.h"

#define ROOM 16384

struct direction {
  int from, to;
  char buf[ROOM];
  size_t at, end; /* bytes that wait */
  uint64_t *count;
  int over; /* from has ended, and to was told */
};

/* Says to the far side that nothing follows. */
static void finish(struct direction *d) {
  if (shutdown(d->to, SHUT_WR) == -1 && errno == ENOTSOCK) close(d->to);
  d->over = 1;
}

static int would_block(void) {
  return errno == EAGAIN || errno == EINTR;
}

/* 1 a byte moved, 0 none, -1. */
static int take(struct direction *d) {
  ssize_t r = read(d->from, d->buf, sizeof d->buf);

  if (r == -1) return would_block() ? 0 : -1;
  if (r == 0) {
    finish(d);
    return 0;
  }
  d->at = 0;
  d->end = (size_t)r;
  *d->count += (uint64_t)r;
  return 1;
}

static int give(struct direction *d) {
  ssize_t w = write(d->to, d->buf + d->at, d->end - d->at);

  if (w == -1) return would_block() ? 0 : -1;
  d->at += (size_t)w;
  return 1;
}

static struct pollfd wish(const struct direction *d) {
  const int holds = d->at < d->end;

  return (struct pollfd){.fd = d->over ? -1 : holds ? d->to : d->from, .events = holds ? POLLOUT : POLLIN};
}

/* What it can do now. */
static int step(struct direction *d) {
  int moved = 0, r;

  if (d->at == d->end) {
    r = take(d);
    if (r <= 0) return r;
    moved = 1;
  }
  r = give(d);
  return r == -1 ? -1 : moved | r;
}

/* Both directions, as far as they can: 1, 0 nothing moved, -1 with e filled. */
static int turn(struct direction *d, const struct pollfd *p, struct strerr *e) {
  int moved = 0;

  for (int i = 0; i < 2; ++i) {
    int r = p[i].fd != -1 && p[i].revents ? step(&d[i]) : 0;

    if (r == -1) return strerr_sys(e, "the connection broke", (char *)0);
    moved |= r;
  }
  return moved;
}

static enum pump_end run(struct direction *d, int64_t idle, struct strerr *e) {
  deadline when = deadline_in(idle);

  while (!d[0].over || !d[1].over) {
    struct pollfd p[2] = {wish(&d[0]), wish(&d[1])};
    int r = poll(p, 2, deadline_poll_ms(when, mono_now()));

    if (r == 0) return PUMP_IDLE;
    if (r == -1 && errno == EINTR) continue;
    if (r != -1) r = turn(d, p, e);
    else strerr_sys(e, "unable to wait", (char *)0);
    if (r == -1) return PUMP_FAILED;
    if (r == 1) when = deadline_in(idle);
  }
  return PUMP_ENDED;
}

enum pump_end pump(const struct pump_side *a, const struct pump_side *b, int64_t idle, struct pump_count *n, struct strerr *e) {
  struct direction d[2];
  const int all[] = {a->in, a->out, b->in, b->out};

  n->forth = n->back = 0;
  d[0].from = a->in, d[0].to = b->out, d[0].count = &n->forth;
  d[1].from = b->in, d[1].to = a->out, d[1].count = &n->back;
  for (size_t i = 0; i < 2; ++i) d[i].at = d[i].end = 0, d[i].over = 0;
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
    if (fd_nonblock(all[i]) == -1) return strerr_sys(e, "unable to use a descriptor", (char *)0), PUMP_FAILED;
  return run(d, idle, e);
}
