/* delivery_count: how much a mailbox got each day, in its file deliveryCount: a line
 * "DD-MM-YYYY:HH:MM:SS MESSAGES BYTES" for each day (UTC), the last of which is the present one. */
#ifndef USER_DELIVERY_COUNT_H
#define USER_DELIVERY_COUNT_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"

struct delivery_count {
  int fd; /* the file, locked: who else delivers here waits */
  stralloc text;
  uint64_t messages, bytes; /* of today */
  int64_t now;
};
#define DELIVERY_COUNT_INIT {-1, STRALLOC_INIT, 0, 0, 0}

/* now: seconds since 1970.  Waits for the lock; reads what it has for that day: 0, or -1 with e filled.  What is
 * no such file begins anew. */
int delivery_count_open(struct delivery_count *d, const char *maildir, int64_t now, struct strerr *e) MUST_CHECK;
/* One message more: 0, or -1 with e filled. */
int delivery_count_add(struct delivery_count *d, uint64_t bytes, struct strerr *e) MUST_CHECK;
void delivery_count_close(struct delivery_count *d);

#endif
