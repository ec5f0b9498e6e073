/* destination: a place mail goes to (remote: the host part of an address; local: the
 * domain), who waits for it, and what was learned about it.  Pure, like sched, whose data
 * it is.
 *
 * Learned: how many transactions at once do well there.  A success while all allowed ones
 * were under way adds one in as many successes as the limit is; a sign that it was too
 * much halves it, once for all that were under way at that time.  A destination that
 * nobody answers for is held: nothing is started until a while has passed, twice as long
 * each time up to DESTINATION_HOLD_MAX. */
#ifndef SEND_DESTINATION_H
#define SEND_DESTINATION_H

#include "send/feedback.h"
#include "send/hashtab.h"
#include "base/heap.h"
#include "send/message.h"
#include "send/ring.h"

#define DESTINATION_START 5U        /* transactions at once with a destination not known yet */
#define DESTINATION_HOLD_MIN 60     /* seconds */
#define DESTINATION_HOLD_MAX 1800
#define DESTINATION_FORGET 3600     /* seconds without mail until it is forgotten */
#define DESTINATION_IDLE_MAX 20000  /* so many without mail are remembered at most */

/* What kind of attempt waits; each kind has its turn.  Those from KIND_BULK on leave room for others. */
enum kind {
  KIND_URGENT, /* a first attempt of what its sender has marked urgent (MT-PRIORITY, RFC 6710) */
  KIND_FRESH,
  KIND_BULK,   /* ... marked as not urgent */
  KIND_RETRY,
  KIND_LAST,
  KINDS
};

/* The bundles of one sender at one destination. */
struct line {
  struct hash_link link;
  struct ring turn; /* in its destination's line[kind] */
  struct destination *d;
  struct turns bundle;
  enum kind kind;
};

struct destination {
  struct hash_link link;
  struct heap_entry opens;   /* in the heap while it is held */
  struct ring ready[KINDS];  /* in the channel's ring while something of that kind may start */
  struct turns line[KINDS];
  struct ring idle;          /* in the ring of those without mail */
  int64_t idle_since;
  uint32_t bundles;          /* that go there */
  uint32_t running;          /* transactions */
  uint32_t limit;            /* of them, in DESTINATION_ONEths */
  uint16_t epoch;            /* changes with each halving */
  uint8_t failures;          /* times it was found unreachable since it last answered */
  uint8_t channel;
  uint8_t held_for_all;      /* even for last attempts */
  uint8_t held_by_order;     /* until another order, whatever the time */
  uint8_t used_up;           /* the limit was reached, and half of it is still in use */
  struct {
    int64_t oldest, next; /* birth; when a bundle is due, INT64_MAX: none waits for a time */
    uint32_t recipients;
  } survey; /* of its mail, as of the last sched_survey */
  char name[];               /* small letters */
};
#define DESTINATION_ONE 1024U

struct destinations {
  struct hashtab hosts, lines;
  struct heap held[CHANNELS];
  struct turns idle; /* longest idle first */
  size_t idle_n;
  uint64_t seed, random;
  size_t all;
};

/* Found or made, with no bundle counted yet; null when memory ran out. */
struct destination *destination_get(struct destinations *ds, enum channel channel, const char *host, int64_t now)
    MUST_CHECK;
/* The same, or null if there is none. */
struct destination *destination_find(const struct destinations *ds, enum channel channel, const char *host);
/* One bundle more or fewer goes there. */
void destination_use(struct destinations *ds, struct destination *d);
void destination_release(struct destinations *ds, struct destination *d, int64_t now);

/* A bundle joins the line of its sender: 1, or 0 when memory ran out. */
int line_join(struct destinations *ds, struct bundle *b, enum kind kind) MUST_CHECK;
void line_leave(struct destinations *ds, struct bundle *b);

/* Whole transactions allowed at once; max (0: none) is the administrator's. */
uint32_t destination_limit(const struct destination *d, enum kind kind, uint32_t max);
/* May one more start? */
int destination_open(const struct destination *d, enum kind kind, uint32_t max);
/* A transaction starts, and ends. */
void destination_start(struct destination *d);
void destination_end(struct destination *d);
/* A transaction of that epoch ended, while it still counts as running; max as above.
 * Gives for how many seconds the destination was held because of it, or 0. */
int64_t destination_learn(struct destinations *ds, struct destination *d, uint16_t epoch, enum feedback feedback,
                          uint32_t max, int64_t now);
/* Nothing starts before until; for_all: not even last attempts. */
void destination_hold(struct destinations *ds, struct destination *d, int64_t until, int for_all);
void destination_unhold(struct destinations *ds, struct destination *d);

void destinations_free(struct destinations *ds);

#endif
