/* now: see now.h. */
#include "base/now.h"

#include <limits.h>
#include <time.h>

deadline mono_now(void) {
  struct timespec ts;

  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

deadline deadline_in(int64_t seconds) {
  deadline d;

  if (__builtin_mul_overflow(seconds, NS_PER_S, &d) || __builtin_add_overflow(d, mono_now(), &d))
    return DEADLINE_NEVER;
  return d;
}

deadline deadline_min(deadline a, deadline b) {
  return a < b ? a : b;
}

int deadline_poll_ms(deadline d, deadline now) {
  int64_t ms;

  if (d == DEADLINE_NEVER) return -1;
  if (d <= now) return 0;
  ms = (d - now - 1) / NS_PER_MS + 1;
  return ms > INT_MAX ? INT_MAX : (int)ms;
}

int64_t wall_now(void) {
  return (int64_t)time(0);
}

int64_t wall_now_us(void) {
  struct timespec ts;

  clock_gettime(CLOCK_REALTIME, &ts);
  return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
