/* answered: who has had an automatic answer of late: a file for each in a directory, with the time of
 * each answer, a line each. */
#ifndef LOCAL_ANSWERED_H
#define LOCAL_ANSWERED_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"

/* The name of the file of an address: letters, digits and . _ - @ stand for themselves, others as
 * =XX; long ones end in a checksum.  1 or 0. */
int answered_name(const char *address, stralloc *name) MUST_CHECK;
/* May one more answer go to this address, of which it gets at most max in so many seconds (-1: ever)?
 * 1, and it is remembered before it is sent; 0; -1 with e filled.  The directory is made. */
int answered_may(const char *dir, const char *address, uint64_t max, int64_t seconds, int64_t now, struct strerr *e) MUST_CHECK;

#endif
