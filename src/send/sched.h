/* sched: which recipient is tried next.  Pure: no clock, no input or output; `now`
 * is an argument (Unix seconds), so weeks of retries run in milliseconds in a test.
 *
 * A message whose time has come is active on a channel until each of its waiting
 * recipients was tried once; active messages take turns, one recipient each, so a
 * message to thousands does not hold up a message to one.  What was deferred waits
 * for the retry time. */
#ifndef SEND_SCHED_H
#define SEND_SCHED_H

#include "send/message.h"

struct sched_channel {
  size_t limit, running;
  int held;
  struct message *ring; /* active messages with recipients to start; next turn first */
  struct message **heap; /* waiting messages by due time */
  size_t heaped, heap_a;
};

struct sched {
  struct sched_channel channel[CHANNELS];
  int64_t lifetime, bounce_lifetime; /* seconds */
};

/* When a message of that birth is tried after an attempt now: (sqrt(age) + skip)
 * squared after birth; skip is 10 local, 20 remote. */
int64_t sched_retry(int64_t birth, int64_t now, enum channel channel);

/* Take in a message: what is not done is due now, or at the retry time after
 * m->tried.  1, or 0 when memory ran out. */
int sched_add(struct sched *s, struct message *m, int64_t now) MUST_CHECK;
/* The next recipient to start on this channel, which counts as running from now:
 * 1 or 0. */
int sched_take(struct sched *s, enum channel channel, int64_t now, struct message **m,
               struct recipient **r);
/* The attempt is over: done for good, or to be tried again. */
int sched_result(struct sched *s, struct message *m, struct recipient *r, int done, int64_t now)
    MUST_CHECK;
/* Nothing waits and nothing runs for this message. */
int sched_finished(const struct message *m);
/* The attempt now running is the last one: the message is over its lifetime. */
int sched_is_last(const struct message *m, enum channel channel);
/* Earliest due time of a waiting message, or INT64_MAX. */
int64_t sched_next_due(const struct sched *s);
/* Everything that waits is due now. */
void sched_all_due(struct sched *s, int64_t now);
/* Take a message out (it must have nothing running). */
void sched_remove(struct sched *s, struct message *m);
void sched_free(struct sched *s);

#endif
