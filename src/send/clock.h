/* clock: the time the scheduler lives by.  It shows the wall clock's time when it was
 * started and then runs evenly: however the wall clock is set afterwards, forwards or
 * backwards, nothing is due, late or too old because of it.  Pure.
 *
 * Times that come from the queue were written by the wall clock.  They count by how long
 * ago they are on that clock at the moment they are read. */
#ifndef SEND_CLOCK_H
#define SEND_CLOCK_H

#include <stdint.h>

#include "base/now.h"

struct clock {
  int64_t wall;   /* seconds since 1970 at the start */
  deadline start;
};

static inline void clock_start(struct clock *c, int64_t wall, deadline mono) {
  *c = (struct clock){wall, mono};
}

static inline int64_t clock_now(const struct clock *c, deadline mono) {
  return c->wall + (mono - c->start) / NS_PER_S;
}

/* A time of the wall clock, which shows wall now, on this clock; never in the future. */
static inline int64_t clock_past(const struct clock *c, int64_t when, int64_t wall, deadline mono) {
  int64_t now = clock_now(c, mono);

  return when >= wall ? now : now - (wall - when);
}

#endif
