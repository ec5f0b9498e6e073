/* sched: which recipients are tried next.  Pure: no clock, no input or output; `now` is an
 * argument (seconds of a clock that never jumps, see clock.h), chance comes from a seed;
 * so weeks of retries run in milliseconds in a test, always the same way.
 *
 * A message has a bundle of recipients for each destination.  A bundle whose time has come
 * is active until each of its recipients was tried once; then those that were deferred
 * wait for the retry time.
 *
 * Who is next, when a channel has a free delivery:
 * - kinds take turns: first attempts, those of mail that is marked as not urgent, retries, last
 *   attempts; mail that is marked urgent has every other turn.  All but first attempts leave a
 *   quarter of the channel free, so that a backlog never blocks new mail;
 * - then destinations of that kind take turns, those that may have one more transaction:
 *   not held for being unreachable (last attempts are made all the same), and below what
 *   was learned about them (destination.h);
 * - then senders who wait there take turns, then the messages of a sender;
 * - of the message, as many recipients as fit into one transaction are started at once.
 *
 * A message may have a time before which nothing of it is tried, and one when it is tried in
 * any case: for the last time, if it is to fail then.
 *
 * Each step is O(1), or O(log n) where a time is involved; orders about all mail, a domain
 * or a sender are O(n). */
#ifndef SEND_SCHED_H
#define SEND_SCHED_H

#include "send/destination.h"
#include "send/feedback.h"
#include "send/message.h"
#include "send/retry.h"

struct sched_channel {
  size_t limit, running; /* transactions */
  size_t patient;        /* of those running: not urgent, retries and last attempts */
  size_t bundles;        /* not finished */
  int held;
  struct turns ready[KINDS]; /* destinations where one may start */
  unsigned turn;             /* the kind that had its turn, of those that are not urgent */
  int was_urgent;            /* the last turn of all was that of urgent mail */
  struct heap due;           /* bundles by their timer */
};

struct sched {
  struct sched_channel channel[CHANNELS];
  struct destinations destinations;
  struct retry retry;
  int64_t lifetime, bounce_lifetime; /* seconds; change with sched_set_lifetimes */
  uint32_t host_max;  /* transactions at once with one remote destination; 0: no limit of its own */
  uint32_t batch_max; /* recipients of one transaction; 0 counts as 1 */
  /* Asked before a batch for a destination, local or remote, is handed out: for how many seconds
   * nothing may go there, or 0: it goes, and is counted.  Null: everything may. */
  int64_t (*rate)(void *ctx, const char *host, uint32_t recipients);
  void *rate_ctx;
};

/* What was handed out: recipients m->recipient[first..first+n-1]. */
struct batch {
  struct message *m;
  struct bundle *bundle;
  uint32_t first, n;
  uint16_t epoch;
  uint8_t kind;
};

void sched_init(struct sched *s, uint64_t seed);
/* Take in a message: its recipients are due now, or at the retry time after tried (0:
 * never tried) if it has not expired by order.  1, or 0 when memory ran out. */
int sched_add(struct sched *s, struct message *m, int64_t tried, int64_t now) MUST_CHECK;
/* The next recipients to start on this channel, which count as running from now: 1 or 0. */
int sched_take(struct sched *s, enum channel channel, int64_t now, struct batch *b) MUST_CHECK;
/* The attempt is over: done[i] says of the i-th whether he is done for good.  Gives for
 * how many seconds the destination is held because of the feedback, or 0. */
int64_t sched_result(struct sched *s, const struct batch *b, const char *done, enum feedback feedback, int64_t now);
/* Nothing waits and nothing runs for this message. */
int sched_finished(const struct message *m);
/* The message is over its lifetime: what is deferred in this attempt fails. */
int sched_is_last(const struct batch *b);
/* When the next thing happens by itself, or INT64_MAX. */
int64_t sched_next_due(const struct sched *s);
/* Everything that waits is due now, and no destination is held for being unreachable. */
void sched_all_due(struct sched *s, int64_t now);
/* For rates: nothing goes to that host before until.  1, or 0 when memory ran out. */
int sched_destination_hold(struct sched *s, enum channel channel, const char *host, int64_t until, int64_t now)
    MUST_CHECK;

/* Orders.  Hold a message for the reasons in the HELD_ bits (0: release it, it is due now):
 * what is under way ends, no more is started.  May be called before sched_add. */
void sched_hold(struct sched *s, struct message *m, uint8_t held, int64_t now);
/* What waits of the message is due now, and its destinations are not left alone for being
 * unreachable; a hold stays. */
void sched_retry(struct sched *s, struct message *m, int64_t now);
/* The same for all messages for a destination: how many. */
size_t sched_retry_destination(struct sched *s, enum channel channel, const char *host, int64_t now);
/* The message is over its lifetime, and due now, held back or not. */
void sched_expire(struct sched *s, struct message *m, int64_t now);
/* Hold a destination until it is released: 1, or 0 when memory ran out. */
int sched_order_destination(struct sched *s, enum channel channel, const char *host, int held, int64_t now) MUST_CHECK;
/* Recipients under way. */
uint32_t sched_running(const struct message *m);
/* Before and for each message of a survey: then each destination knows about its mail. */
void sched_survey_begin(struct sched *s);
void sched_survey(const struct message *m);
void sched_set_lifetimes(struct sched *s, int64_t lifetime, int64_t bounce_lifetime);
/* After a change of host_max. */
void sched_limits_changed(struct sched *s);
/* Take a message out, which must have nothing running. */
void sched_remove(struct sched *s, struct message *m, int64_t now);
/* When no message is left in it. */
void sched_free(struct sched *s);

#endif
