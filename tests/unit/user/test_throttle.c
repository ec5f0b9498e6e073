/* Waiting grows with failures, is forgotten with time, and never passes its bound. */
#include "user/throttle.h"

#include <string.h>

#include "check.h"

static struct throttle t;

static unsigned fail(const char *key, int64_t now) {
  return throttle_failed(&t, key, strlen(key), now);
}

int main(void) {
  const int64_t now = 1795663470;
  unsigned last = 0;

  for (int i = 0; i < THROTTLE_FREE; ++i) CHECK(fail("a@b", now) == 0);
  for (int i = 0; i < 5; ++i) {
    unsigned ms = fail("a@b", now);

    CHECK(ms > last);
    last = ms;
  }
  for (int i = 0; i < 10000; ++i) CHECK(fail("a@b", now + i / 1000) <= THROTTLE_MAX);
  CHECK(fail("a@b", now + 10) == THROTTLE_MAX);
  CHECK(fail("another@b", now) == 0);
  CHECK(fail("a@b", now + 20 * THROTTLE_HALF) == 0);
  /* a clock that is set back does not lock anybody out for ever */
  for (int i = 0; i < 20; ++i) (void)fail("c@d", now);
  CHECK(fail("c@d", now - 1000) <= THROTTLE_MAX);
  return check_done();
}
