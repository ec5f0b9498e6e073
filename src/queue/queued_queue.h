/* queued_queue: one queue as a process of qmail-queued knows it, and the batch that is
 * being taken into it. */
#ifndef QUEUE_QUEUED_QUEUE_H
#define QUEUE_QUEUED_QUEUE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/now.h"
#include "base/stralloc.h"
#include "queue/accept.h"
#include "queue/journal.h"

#define QUEUED_BATCH 64 /* messages at most */

/* Queues by their directories, found again by name. */
struct queued_queue {
  stralloc dir;
  int fd;      /* the directory */
  int trigger; /* of todo-proc, once it was pulled; else -1 */
  deadline look; /* when to see again that its name still leads to it */
  struct journal journal;
  deadline again; /* when a journal that could not be opened is tried again */
  struct queued_queue *next;
};

struct queued_queues {
  struct queued_queue *first;
  const struct queued_queue *current; /* in whose directory we are; may be null */
  const char *boot_file, *order; /* for journal_era */
  size_t journal_size; /* of a segment */
};

/* The queue, whose directory becomes the current one; null with errno. */
struct queued_queue *queued_enter(struct queued_queues *all, const stralloc *dir);
/* It does not take what it should: look at it again before it is used again. */
void queued_doubt(struct queued_queue *q);
/* Settle what is full of the current queue, and what is due of all, while no batch is under way; a child that ended. */
void queued_settle(struct queued_queue *q);
void queued_tick(struct queued_queues *all);
void queued_reaped(struct queued_queues *all, pid_t pid, int status);
void queued_queues_free(struct queued_queues *all);

/* A batch in the current queue. */
struct queued_batch {
  size_t n;
  struct accept message[QUEUED_BATCH];
  stralloc text; /* of all of them */
  stralloc envelope, announcement;
  int journaled; /* every one of them has a record */
};

/* Take in one message, of which nothing but an empty file is in the queue until the batch is committed: QQ_queued (its
 * place is n - 1), or why not. */
int queued_batch_add(struct queued_batch *b, struct queued_queue *q, const struct accept_origin *o, const char *message,
                     size_t n, const char *envelope, size_t envelope_n);
/* Put them into the queue and make them safe: code[i] for the i-th.  The batch is empty then, and what it brought is
 * to be announced once the clients know. */
void queued_batch_commit(struct queued_batch *b, struct queued_queue *q, int code[QUEUED_BATCH], uint64_t id[QUEUED_BATCH]);
void queued_batch_announce(struct queued_batch *b, struct queued_queue *q);
void queued_batch_free(struct queued_batch *b);

#endif
