/* message: one queued message as qmail-send holds it in memory: one block for itself, its
 * recipients and their text, and one for its bundles. */
#ifndef SEND_MESSAGE_H
#define SEND_MESSAGE_H

#include <stdint.h>

#include "base/attr.h"
#include "send/hashtab.h"
#include "base/heap.h"
#include "queue/messid.h"
#include "send/ring.h"
#include "send/route.h"

struct recipient {
  uint32_t address; /* as routed: where in the message's text */
  uint32_t index;   /* its number in the envelope, for the mark */
  uint32_t notify;  /* DSN parameters (mail/dsn.h), likewise; 0: none */
  uint8_t channel, done;
  uint8_t told;     /* that it takes long */
};

struct destination;
struct line;
struct message;

/* The recipients of one message at one destination: what is tried together.  sched.c
 * alone writes it. */
enum standing {
  STAND_NONE,     /* no recipient left */
  STAND_WAITING,  /* for its time */
  STAND_ACTIVE,   /* in the line of its sender at its destination */
  STAND_DRAINING, /* everybody was started in this pass; the last results are awaited */
  STAND_HELD,     /* for an order, of which the message has the reason */
};
struct bundle {
  struct heap_entry timer; /* waiting: when due; active: when the message gets too old */
  struct ring turn;        /* in its line */
  struct message *m;
  struct destination *d;
  struct line *line;   /* while active */
  uint32_t first, n;   /* its recipients that are not done, in m->recipient */
  uint32_t next;       /* the first that was not started in this pass */
  uint32_t running;    /* recipients under way */
  uint8_t standing;
  uint8_t tried;       /* passes, up to 255; one for all those of an earlier life */
};

enum { HELD_BY_ID = 1, HELD_BY_SENDER = 2, HELD_FOR_REMOVAL = 4 };

struct message {
  struct hash_link link;  /* in the manager's table of messages */
  uint64_t id;
  int64_t birth;          /* on the scheduler's clock; of one that was held back, when it was let go */
  int64_t not_before;     /* likewise: nothing is tried before; 0: at once */
  int64_t by;             /* likewise: when it should be delivered; 0: some time */
  char *text;             /* sender, extra, captured, addresses, each with its NUL */
  struct bundle *bundle;
  struct message *next;   /* in a list of the manager */
  uint32_t extra, captured; /* where in text */
  uint32_t dsn;             /* likewise, parameters of MAIL (mail/dsn.h); 0: none */
  uint32_t messid;          /* likewise, the id it came with (queue/messid.h); 0: none */
  uint32_t recipients, left; /* all, and those not done */
  uint32_t bundles;
  uint32_t used;          /* bytes of text */
  uint8_t bouncing;       /* a permanent failure was recorded */
  uint8_t marks;          /* the queue may have marks of it, or failures */
  uint8_t verp;           /* every recipient has a sender of its own */
  uint8_t held;           /* HELD_ bits; change them with sched_hold */
  uint8_t expired;        /* too old by order */
  uint8_t by_return;      /* after that it fails */
  uint8_t by_trace;       /* its sender hears of each server that passes it on */
  int8_t priority;        /* MT-PRIORITY: -9 to 9 */
  uint8_t finishing;      /* out of the scheduler's hands */
  struct recipient recipient[];
};

/* Room for so many recipients and bytes of text; sender, extra and captured must be the
 * first texts.  Null when memory ran out. */
struct message *message_new(size_t recipients, size_t text) MUST_CHECK;
void message_set_head(struct message *m, const char *sender, const char *extra, const char *captured);
void message_add_recipient(struct message *m, enum channel channel, uint32_t index, const char *address);
/* DSN parameters of the message, and of the recipient added last. */
void message_set_dsn(struct message *m, const char *dsn);
void message_set_notify(struct message *m, const char *dsn);
void message_set_messid(struct message *m, const char *messid);
/* Its id; buf is for one that came with none. */
const char *message_messid(const struct message *m, char buf[MESSID_SIZE]);
static inline const char *message_dsn(const struct message *m) {
  return m->dsn ? m->text + m->dsn : "";
}
static inline const char *message_notify(const struct message *m, const struct recipient *r) {
  return r->notify ? m->text + r->notify : "";
}
static inline const char *message_sender(const struct message *m) {
  return m->text;
}
static inline const char *message_address(const struct message *m, const struct recipient *r) {
  return m->text + r->address;
}
/* What stands behind the last @ of an address, or "". */
const char *message_host(const char *address);
void message_free(struct message *m);

#endif
