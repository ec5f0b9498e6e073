/* loop: an event loop over epoll with timers.  One thread; callbacks run one at a
 * time and may add, change or remove any watcher, their own included. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/now.h"
#include "base/stralloc.h"

#define LOOP_READ 1u
#define LOOP_WRITE 2u

struct loop;
struct loop_io;
struct loop_timer;

/* events: LOOP_READ and LOOP_WRITE bits that are ready (errors and hang-ups are
 * reported as both that were asked for: the next call on the descriptor tells). */
typedef void (*loop_io_fn)(void *ctx, int fd, unsigned events);
typedef void (*loop_timer_fn)(void *ctx);

/* Embedded in the caller's own struct, zeroed before first use. */
struct loop_io {
  int fd;
  unsigned events;
  loop_io_fn fn;
  void *ctx;
  int active;
};

struct loop_timer {
  struct heap_entry at; /* first: the heap's entry is the timer; its slot is 0 when not set */
  loop_timer_fn fn;
  void *ctx;
};

struct loop {
  int epfd;
  int stopped;
  struct heap timers;
  void *batch; /* events being handed out: a removed watcher is struck from it */
  int batch_n;
};

int loop_init(struct loop *l) MUST_CHECK;
/* Watch fd; 0 or -1 with errno.  loop_io_set changes the events of a watcher. */
int loop_io_add(struct loop *l, struct loop_io *io, int fd, unsigned events, loop_io_fn fn,
                void *ctx) MUST_CHECK;
int loop_io_set(struct loop *l, struct loop_io *io, unsigned events) MUST_CHECK;
/* Stop watching (before the descriptor is closed).  Fine on an inactive one. */
void loop_io_remove(struct loop *l, struct loop_io *io);
/* Call fn once at when; moves a timer already set.  0 or -1 (memory). */
int loop_timer_set(struct loop *l, struct loop_timer *t, deadline when, loop_timer_fn fn,
                   void *ctx) MUST_CHECK;
void loop_timer_cancel(struct loop *l, struct loop_timer *t);
/* Run until loop_stop, which may have been called before: 0, or -1 with errno. */
int loop_run(struct loop *l) MUST_CHECK;
void loop_stop(struct loop *l);
void loop_free(struct loop *l);

#endif
