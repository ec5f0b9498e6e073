/* message: one queued message as the scheduler holds it in memory. */
#ifndef SEND_MESSAGE_H
#define SEND_MESSAGE_H

#include <stdint.h>

#include "base/stralloc.h"
#include "send/route.h"

enum recipient_state { RECIPIENT_WAITING, RECIPIENT_RUNNING, RECIPIENT_DONE };

struct recipient {
  char *address;  /* as routed; owned */
  char *notify;   /* DSN parameters (mail/dsn.h), or null; owned */
  uint32_t index; /* its number in the envelope, for the mark */
  uint8_t channel, state;
};

struct message;

/* Where a message stands on one channel; sched.c alone writes it. */
enum standing { STAND_NONE, STAND_WAITING, STAND_ACTIVE, STAND_DRAINING };
struct message_channel {
  size_t waiting; /* recipients not yet done */
  size_t running;
  size_t next;    /* first recipient not started in this pass */
  int64_t due;
  size_t slot;    /* in the heap of waiting messages, + 1 */
  enum standing standing;
  int last_pass;  /* too old: what fails now fails for good */
  struct message *ring_next, *ring_prev;
};

struct message {
  uint64_t id, birth, size, uid, qp;
  int64_t tried; /* last attempt before a restart, or 0 */
  stralloc sender, extra, captured;
  stralloc dsn; /* parameters of MAIL (mail/dsn.h) */
  struct recipient *recipient;
  size_t recipients, recipients_a;
  struct message_channel channel[CHANNELS];
  int bouncing; /* a permanent failure was recorded */
  struct message *hash_next;
};

struct message *message_new(void);
int message_add_recipient(struct message *m, enum channel channel, uint32_t index,
                          const char *address, int done) MUST_CHECK;
/* DSN parameters of the recipient added last: 1 or 0. */
int message_set_notify(struct message *m, const char *dsn, size_t n) MUST_CHECK;
void message_free(struct message *m);

#endif
