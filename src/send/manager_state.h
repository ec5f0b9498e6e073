/* manager_state: what the files of the manager share: the manager itself, its spawners, and
 * the calls between manager.c (messages, settings, signals) and manager_delivery.c. */
#ifndef SEND_MANAGER_STATE_H
#define SEND_MANAGER_STATE_H

#include "base/log.h"
#include "base/loop.h"
#include "base/task.h"
#include "conf/conf.h"
#include "queue/spawn_proto.h"
#include "send/bounce_text.h"
#include "send/clock.h"
#include "send/control.h"
#include "send/job.h"
#include "base/log_buffer.h"
#include "send/orders.h"
#include "send/pipe_out.h"
#include "send/rate.h"
#include "send/sched.h"

struct manager;

/* A transaction under way: the slot's place in its link is its number for the spawner. */
struct delivery {
  struct batch batch;      /* batch.m null: free */
  struct delivery *next_free;
  uint64_t number;         /* of its first recipient, as logged */
  uint32_t reported;       /* recipients */
  enum feedback feedback;
  stralloc outcome;        /* a byte for each of them: OUTCOME_ */
  stralloc failures;       /* text for bounce/ID */
  stralloc successes, delays; /* the same, for notices */
};
enum { OUTCOME_DEFERRED, OUTCOME_DONE, OUTCOME_FAILED };

/* A spawner and the deliveries it runs. */
struct link {
  struct manager *manager;
  enum channel channel;
  struct pipe_out out;
  struct loop_io in;
  struct spawn_reader reader;
  unsigned char hello[2];
  size_t hello_n;
  struct delivery *slot;
  size_t slots; /* what the spawner said it can do; 0 until it did */
  struct delivery *free;
  int complained; /* of a senseless report */
};

/* Messages in the order in which they came. */
struct message_list {
  struct message *first, **end;
  size_t n;
};

/* A bounce that is being made. */
#define BOUNCES_AT_ONCE 10
struct bouncing {
  struct manager *manager;
  struct message *m; /* null: free */
  struct conf *conf; /* as it was when it was begun */
};

struct manager {
  const char *queue;
  struct conf *conf;
  struct loop loop;
  struct clock clock;
  struct sched sched;
  struct log_buffer log;
  struct link link[CHANNELS];
  struct pipe_out to_clean, to_todo;
  struct loop_io from_clean, from_todo, sig;
  struct job_reader jobs;
  struct loop_timer wake, retry;
  uint64_t next_delivery;
  struct message_list removing; /* asked of qmail-clean */
  struct message_list later;    /* finished, but the disk would not have it */
  struct message_list to_bounce; /* finished; its bounce is made after others */
  struct bouncing bounce[BOUNCES_AT_ONCE];
  size_t bouncing;              /* of these are under way */
  struct tasks tasks;           /* that make them */
  uint64_t unsynced; /* the message whose newest marks are not on disk yet, or 0 */
  struct hashtab messages;      /* all, by id */
  size_t held;                  /* of them */
  struct orders orders;
  struct control control;
  struct rates rates;
  stralloc survey;              /* the last answer to a request for the status */
  deadline survey_until;        /* it is good until then */
  int ordered;                  /* something was ordered since the last commit */
  int exitasap;
  struct strerr *e;
  int code;
};

#define MLOG(m, event, ...)                                                                   \
  log_buffer_add(&(m)->log, LOG_##event, (const struct log_arg[]){__VA_ARGS__},                \
                 sizeof((const struct log_arg[]){__VA_ARGS__}) / sizeof(struct log_arg))

/* manager.c: say why, and end. */
void manager_die(struct manager *m, const char *what);
int64_t manager_now(const struct manager *m);
void manager_log_status(struct manager *m);
/* Marks are synced once for all that was reported together, before anything new is begun: a
 * power loss repeats only what was under way. */
void manager_sync_marks(struct manager *m);
/* Why what remains to be done with a message cannot be done now; it is tried again. */
void manager_put_off(struct manager *m, struct message *msg, const char *why);
/* Settings that are in use no more: freed unless they are. */
void manager_release_conf(struct manager *m, struct conf *conf);
void message_list_add(struct message_list *l, struct message *msg);
struct message *message_list_take(struct message_list *l);
/* It is in nobody's hands: have it removed. */
void manager_ask_clean(struct manager *m, struct message *msg);
/* Everything that waits is due now; what todo-proc has not seen is looked for. */
void manager_everything_now(struct manager *m);
void manager_end_if_idle(struct manager *m);

/* manager_bounce.c: every recipient is done: bounce if need be, then have it removed. */
void manager_finish(struct manager *m, struct message *msg);
int bounces_use(const struct manager *m, const struct conf *conf);

/* manager_control.c: a message comes, with the orders that concern it, and goes.
 * 1, or 0 when memory ran out. */
int manager_register(struct manager *m, struct message *msg) MUST_CHECK;
void manager_unregister(struct manager *m, struct message *msg);
/* Remove a message of which nothing runs, without a bounce. */
void manager_discard(struct manager *m, struct message *msg);
/* Listen for orders, and load those that stay: 0, or -1 when memory ran out. */
int manager_control_start(struct manager *m) MUST_CHECK;

/* manager_notice.c: note what the sender wants to hear of a recipient, from the report on it. */
void manager_note_success(struct manager *m, struct delivery *d, const struct recipient *r, const char *report);
void manager_note_delay(struct manager *m, struct delivery *d, struct recipient *r, const char *report);
/* Send what was noted, and forget it; before the results are recorded.  Blocks until the notices
 * are queued. */
void manager_send_notices(struct manager *m, struct delivery *d);
/* A message of an earlier life of ours, last tried at that time: who was told then is not told again. */
void manager_recall_delay(struct manager *m, struct message *msg, int64_t birth, int64_t tried);
/* The paragraph for bounce/ID or a notice: 1 or 0. */
int manager_paragraph(struct manager *m, stralloc *out, enum bounce_action action, const struct message *msg,
                      const struct recipient *r, const char *report) MUST_CHECK;

/* manager_rate.c: keep the rates in $RATELIMIT_DIR, or in fallback ("": none); after the
 * settings are loaded.  0 or -1 with e filled. */
int manager_rate_start(struct manager *m, const char *fallback, struct strerr *e) MUST_CHECK;

/* manager_delivery.c: connect a spawner, 0 or -1. */
int delivery_connect(struct manager *m, enum channel channel, int to, int from) MUST_CHECK;
/* Start all that may start, then sleep until the next message is due. */
void delivery_start_all(struct manager *m);
/* The channel's limit as the settings and the spawner have it. */
void delivery_set_limits(struct manager *m);

#endif
