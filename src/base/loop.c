/* loop: see loop.h. */
#include "base/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define BATCH 64

int loop_init(struct loop *l) {
  memset(l, 0, sizeof *l);
  l->epfd = epoll_create1(EPOLL_CLOEXEC);
  return l->epfd == -1 ? -1 : 0;
}

static int control(struct loop *l, int op, struct loop_io *io) {
  struct epoll_event ev;

  memset(&ev, 0, sizeof ev);
  if (io->events & LOOP_READ) ev.events |= EPOLLIN;
  if (io->events & LOOP_WRITE) ev.events |= EPOLLOUT;
  ev.data.ptr = io;
  return epoll_ctl(l->epfd, op, io->fd, &ev);
}

int loop_io_add(struct loop *l, struct loop_io *io, int fd, unsigned events, loop_io_fn fn,
                void *ctx) {
  io->fd = fd;
  io->events = events;
  io->fn = fn;
  io->ctx = ctx;
  if (control(l, EPOLL_CTL_ADD, io) == -1) return -1;
  io->active = 1;
  return 0;
}

int loop_io_set(struct loop *l, struct loop_io *io, unsigned events) {
  if (!io->active) {
    errno = EBADF;
    return -1;
  }
  if (io->events == events) return 0;
  io->events = events;
  return control(l, EPOLL_CTL_MOD, io);
}

void loop_io_remove(struct loop *l, struct loop_io *io) {
  struct epoll_event *batch = l->batch;

  if (!io->active) return;
  io->active = 0;
  epoll_ctl(l->epfd, EPOLL_CTL_DEL, io->fd, 0);
  for (int i = 0; i < l->batch_n; ++i)
    if (batch[i].data.ptr == io) batch[i].data.ptr = 0;
}

int loop_timer_set(struct loop *l, struct loop_timer *t, deadline when, loop_timer_fn fn,
                   void *ctx) {
  if (!t->at.slot && !heap_reserve(&l->timers, l->timers.n + 1)) return -1;
  t->fn = fn;
  t->ctx = ctx;
  heap_set(&l->timers, &t->at, when);
  return 0;
}

void loop_timer_cancel(struct loop *l, struct loop_timer *t) {
  heap_remove(&l->timers, &t->at);
}

static deadline next_timer(const struct loop *l) {
  const struct heap_entry *e = heap_first(&l->timers);

  return e ? e->time : DEADLINE_NEVER;
}

static void run_timers(struct loop *l) {
  deadline now = mono_now();

  while (l->timers.n && next_timer(l) <= now && !l->stopped) {
    struct loop_timer *t = (struct loop_timer *)heap_first(&l->timers);

    loop_timer_cancel(l, t);
    t->fn(t->ctx);
  }
}

static void run_io(struct loop *l, struct epoll_event *batch, int n) {
  l->batch = batch;
  l->batch_n = n;
  for (int i = 0; i < n && !l->stopped; ++i) {
    struct loop_io *io = batch[i].data.ptr;
    unsigned ready = 0;

    if (!io) continue;
    if (batch[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) ready |= LOOP_READ;
    if (batch[i].events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) ready |= LOOP_WRITE;
    ready &= io->events;
    if (ready) io->fn(io->ctx, io->fd, ready);
  }
  l->batch = 0;
  l->batch_n = 0;
}

int loop_run(struct loop *l) {
  struct epoll_event batch[BATCH];

  while (!l->stopped) {
    int n = epoll_wait(l->epfd, batch, BATCH, deadline_poll_ms(next_timer(l), mono_now()));

    if (n == -1 && errno != EINTR) return -1;
    if (n > 0) run_io(l, batch, n);
    run_timers(l);
  }
  l->stopped = 0;
  return 0;
}

void loop_stop(struct loop *l) {
  l->stopped = 1;
}

void loop_free(struct loop *l) {
  if (l->epfd != -1) close(l->epfd);
  heap_free(&l->timers);
  memset(l, 0, sizeof *l);
  l->epfd = -1;
}
