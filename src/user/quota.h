/* quota: how much a mailbox may hold, and its text. */
#ifndef USER_QUOTA_H
#define USER_QUOTA_H

#include <stdint.h>

#include "base/stralloc.h"

struct quota {
  uint64_t bytes; /* 0: no limit */
  uint64_t count; /* messages; 0: no limit */
};

/* Whole text: "NOQUOTA", "", "1000", "10M" (k, M, G: powers of 1024), "1000,50",
 * "1000S,50C", "50C".  1, or 0 (q left alone) for anything else or out of range. */
int quota_parse(const char *s, size_t n, struct quota *q);
/* The same of what an administrator says: an empty text, of a variable that is not set perhaps, is none. */
int quota_said(const char *s, struct quota *q);
/* "1000S", "1000S,50C", or "NOQUOTA", replacing what was there: 1 or 0 (memory). */
int quota_fmt(stralloc *s, const struct quota *q) MUST_CHECK;
int quota_none(const struct quota *q);

#endif
