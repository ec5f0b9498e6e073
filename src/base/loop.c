/* loop: see loop.h.  Timers are a binary heap of pointers; each timer knows its
 * slot, so cancelling is logarithmic too. */
#include "base/loop.h"

#include <errno.h>
#include <stdlib.h>
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

static void place(struct loop *l, size_t i, struct loop_timer *t) {
  l->heap[i] = t;
  t->slot = i + 1;
}

static void sift_up(struct loop *l, size_t i) {
  struct loop_timer *t = l->heap[i];

  for (; i && l->heap[(i - 1) / 2]->when > t->when; i = (i - 1) / 2)
    place(l, i, l->heap[(i - 1) / 2]);
  place(l, i, t);
}

static void sift_down(struct loop *l, size_t i) {
  struct loop_timer *t = l->heap[i];

  for (;;) {
    size_t child = 2 * i + 1;

    if (child >= l->timers) break;
    if (child + 1 < l->timers && l->heap[child + 1]->when < l->heap[child]->when) ++child;
    if (l->heap[child]->when >= t->when) break;
    place(l, i, l->heap[child]);
    i = child;
  }
  place(l, i, t);
}

int loop_timer_set(struct loop *l, struct loop_timer *t, deadline when, loop_timer_fn fn,
                   void *ctx) {
  loop_timer_cancel(l, t);
  if (l->timers == l->heap_a) {
    size_t a = l->heap_a ? l->heap_a * 2 : 16;
    struct loop_timer **heap = reallocarray(l->heap, a, sizeof *heap);

    if (!heap) return -1;
    l->heap = heap;
    l->heap_a = a;
  }
  t->when = when;
  t->fn = fn;
  t->ctx = ctx;
  l->heap[l->timers] = t;
  sift_up(l, l->timers++);
  return 0;
}

void loop_timer_cancel(struct loop *l, struct loop_timer *t) {
  size_t i = t->slot;
  struct loop_timer *last;

  if (!i--) return;
  t->slot = 0;
  last = l->heap[--l->timers];
  if (last == t) return;
  place(l, i, last);
  sift_up(l, i);
  sift_down(l, last->slot - 1);
}

static void run_timers(struct loop *l) {
  deadline now = mono_now();

  while (l->timers && l->heap[0]->when <= now && !l->stopped) {
    struct loop_timer *t = l->heap[0];

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
    deadline next = l->timers ? l->heap[0]->when : DEADLINE_NEVER;
    int n = epoll_wait(l->epfd, batch, BATCH, deadline_poll_ms(next, mono_now()));

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
  free(l->heap);
  memset(l, 0, sizeof *l);
  l->epfd = -1;
}
