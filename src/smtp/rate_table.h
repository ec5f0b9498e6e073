/* rate_table: how often something was done of late, by whom: connections, messages and recipients of
 * an address or a network, messages and recipients of an account.
 *
 * A limit is "count/seconds": of the last so many seconds, no more than count.  Time is cut into
 * windows of that length; of the window before this one, the part that still lies within the last
 * seconds counts, as if what came in it had come evenly.  What is refused is not counted, so whoever
 * keeps trying still gets count in each span.
 *
 * Of several limits, "60/3600 500/86400", all have to be kept: so many in an hour, and so many in a day.
 *
 * The table has a fixed size; where a part of it is full the entry that was seen least makes place.  All
 * servers of a user share one, in a file that is mapped into memory.  They change it without
 * locks: a race costs a count. */
#ifndef SMTP_RATE_TABLE_H
#define SMTP_RATE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define RATE_BUCKETS 8192
#define RATE_BUCKET 4

struct rate_limit {
  uint64_t count, seconds; /* seconds 0: no limit */
};

#define RATE_LIMITS 4
struct rate_limits {
  struct rate_limit limit[RATE_LIMITS];
  size_t n;
};
/* Some, with blanks between them, or nothing: 1 or 0. */
int rate_limits_parse(const char *s, struct rate_limits *l);

struct rate_place {
  uint64_t key; /* 0: free */
  uint32_t window, now, before, told;
};
struct rate_table {
  uint64_t magic, seed;
  struct rate_place place[RATE_BUCKETS][RATE_BUCKET];
};
/* Of this table and no other: with another number of places it is another file. */
#define RATE_MAGIC (0x31306574614d4d49u ^ sizeof(struct rate_table))

enum rate_verdict {
  RATE_WITHIN, /* and counted */
  RATE_OVER,
  RATE_OVER_FIRST, /* for the first time in this window */
};
/* Once more by this key, which names what is counted as well as whom; each length of time is counted for itself.  look: do
 * not count.  now in seconds.  Pure but for the table. */
enum rate_verdict rate_hit(struct rate_table *t, const char *key, size_t n, const struct rate_limit *l, int64_t now, int look);
/* The same of several limits: counted for all of them, or for none. */
enum rate_verdict rate_hit_all(struct rate_table *t, const char *key, size_t n, const struct rate_limits *l, int64_t now, int look);

/* The table of this user's servers, RUN/smtp/rates, made when it is not there; null when that cannot be
 * done, which is told on descriptor 2 once.  The same at each call. */
struct rate_table *rate_table_open(void);

#endif
