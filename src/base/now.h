/* now: the two clocks.  Wall-clock time is seconds or TAI64N, for people and
 * schedules on disk; deadlines are nanoseconds of a clock that never jumps. */
#ifndef BASE_NOW_H
#define BASE_NOW_H

#include <stdint.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define DEADLINE_NEVER INT64_MAX

typedef int64_t deadline; /* CLOCK_MONOTONIC nanoseconds */

deadline mono_now(void);
/* The moment that is seconds from now. */
deadline deadline_in(int64_t seconds);
deadline deadline_min(deadline a, deadline b);
/* Milliseconds left for poll(2): 0 when past, -1 for DEADLINE_NEVER, rounded up. */
int deadline_poll_ms(deadline d, deadline now);
/* Wall clock: seconds, and microseconds, since 1970. */
int64_t wall_now(void);
int64_t wall_now_us(void);

#endif
