/* throttle: see throttle.h.  Workers change a place without a lock: a count lost in a race is one of
 * many. */
#include "user/throttle.h"

#define FIRST_MS 100

static uint64_t hash(const char *s, size_t n) {
  uint64_t h = 1469598103934665603u; /* FNV-1a */

  for (size_t i = 0; i < n; ++i) h = (h ^ (unsigned char)s[i]) * 1099511628211u;
  return h ^ h >> 29;
}

static uint32_t faded(const struct throttle_place *p, uint32_t now) {
  uint32_t halves = (now - p->at) / THROTTLE_HALF;

  return halves > 31 ? 0 : p->failures >> halves;
}

unsigned throttle_failed(struct throttle *t, const char *key, size_t n, int64_t now) {
  struct throttle_place *p = &t->place[hash(key, n) % THROTTLE_PLACES];
  uint32_t failures = faded(p, (uint32_t)now) + 1;
  unsigned ms = FIRST_MS;

  p->failures = failures;
  p->at = (uint32_t)now;
  if (failures <= THROTTLE_FREE) return 0;
  for (uint32_t i = THROTTLE_FREE + 1; i < failures && ms < THROTTLE_MAX; ++i) ms *= 2;
  return ms < THROTTLE_MAX ? ms : THROTTLE_MAX;
}
