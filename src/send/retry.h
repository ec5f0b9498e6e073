/* retry: when a message is tried again after a deferral.  Pure. */
#ifndef SEND_RETRY_H
#define SEND_RETRY_H

#include <stdint.h>

#include "base/attr.h"
#include "send/route.h"

#define RETRY_STEPS 100
#define RETRY_STEP_MAX INT64_C(2592000)

struct retry {
  unsigned steps; /* 0: the quadratic rule */
  int64_t seconds[RETRY_STEPS];
};

/* "300 600 3600": seconds between the attempts, the last one repeats; "" is the quadratic
 * rule.  1, or 0: not numbers from 1 to RETRY_STEP_MAX, or more than RETRY_STEPS. */
int retry_parse(struct retry *r, const char *s) MUST_CHECK;
/* When a message born then is tried after an attempt now; always later than now. */
int64_t retry_next(const struct retry *r, int64_t birth, int64_t now, enum channel channel);
/* The quadratic rule: (sqrt(age) + skip) squared after birth; skip is 10 local, 20
 * remote. */
int64_t retry_quadratic(int64_t birth, int64_t now, enum channel channel);

#endif
