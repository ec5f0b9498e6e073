/* throttle: how long a wrong password is made to wait for its answer.
 *
 * Failures are counted for an account and for a client's address, and forgotten by half every
 * THROTTLE_HALF seconds.  Only wrong answers wait: an owner is never locked out, however many
 * guess at the account.  The table has a fixed size and lies in memory that all workers share; two keys in one
 * place share their count, which costs a stranger seconds at most.  Pure: the time is an argument. */
#ifndef USER_THROTTLE_H
#define USER_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

#define THROTTLE_PLACES 8192
#define THROTTLE_FREE 3    /* failures that cost nothing */
#define THROTTLE_MAX 3000  /* milliseconds, less than askers wait for an answer */
#define THROTTLE_HALF 300

struct throttle_place {
  uint32_t failures;
  uint32_t at; /* low bits of the time the count is of, seconds */
};
struct throttle {
  struct throttle_place place[THROTTLE_PLACES];
};

/* Count a failure of this key; milliseconds its answer is to wait. */
unsigned throttle_failed(struct throttle *t, const char *key, size_t n, int64_t now);

#endif
