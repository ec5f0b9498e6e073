/* retry: see retry.h. */
#include "send/retry.h"

#include <string.h>

#include "base/scan.h"

static const int64_t skip[CHANNELS] = {[CHANNEL_LOCAL] = 10, [CHANNEL_REMOTE] = 20};

/* Whole part of the square root, by Newton's method on integers. */
static int64_t square_root(int64_t x) {
  int64_t r = x;
  int64_t next = x / 2 + x % 2;

  while (next < r) {
    r = next;
    next = (r + x / r) / 2;
  }
  return r;
}

int64_t retry_quadratic(int64_t birth, int64_t now, enum channel channel) {
  int64_t n = now > birth ? square_root(now - birth) : 0;

  n += skip[channel];
  return birth + n * n;
}

/* The interval in whose span the message's age lies: no count of attempts is kept, so a
 * restart changes nothing. */
static int64_t interval(const struct retry *r, int64_t age) {
  int64_t end = 0;

  for (unsigned i = 0; i + 1 < r->steps; ++i) {
    end += r->seconds[i];
    if (age < end) return r->seconds[i];
  }
  return r->seconds[r->steps - 1];
}

int64_t retry_next(const struct retry *r, int64_t birth, int64_t now, enum channel channel) {
  if (!r->steps) return retry_quadratic(birth, now, channel);
  return now + interval(r, now - birth);
}

int retry_parse(struct retry *r, const char *s) {
  struct retry fresh = {0};

  for (;;) {
    uint64_t seconds;
    size_t n;

    s += strspn(s, " \t");
    n = strcspn(s, " \t");
    if (!n) break;
    if (fresh.steps == RETRY_STEPS || !scan_u64_max(s, n, RETRY_STEP_MAX, &seconds) || !seconds) return 0;
    fresh.seconds[fresh.steps++] = (int64_t)seconds;
    s += n;
  }
  *r = fresh;
  return 1;
}
