/* accept: how a message enters a queue.  One implementation for qmail-queue, which
 * reads two descriptors, and for qmail-queued, which gets messages over a socket.
 * Works in the current directory, a queue.  Codes are those of exitcodes.def. */
#ifndef QUEUE_ACCEPT_H
#define QUEUE_ACCEPT_H

#include <stdint.h>

#include "base/attr.h"
#include "queue/envelope.h"
#include "queue/extras.h"

/* Who asks, and what the Received field may say about it. */
struct accept_origin {
  const char *host; /* our name; null hides it */
  uint64_t uid;
  uint64_t qp; /* number of the attempt in logs; 0: the message's id */
  const char *messid; /* the message's id where it comes with one; what can be none is ignored */
  const struct extras *extras; /* may be null */
};

struct accept {
  uint64_t id;
  int fd;
  struct envelope env;
  const struct extras *extras;
  struct header_filter filter;
  int filtering;
  stralloc kept; /* of a piece of the message */
  size_t text, text_n; /* accept_prepare: where it is to stand in the caller's text */
};

/* Create the message file with its Received field: QQ_queued (0) or why not. */
int accept_begin(struct accept *a, const struct accept_origin *o) MUST_CHECK;
/* Bytes of the message as they are to be stored, as many at a time as possible: each call is a write. */
int accept_put(struct accept *a, const char *s, size_t n) MUST_CHECK;
/* Commit with the sender and recipients filled into a->env.  QQ_queued: the message
 * is on disk and announced. */
int accept_commit(struct accept *a) MUST_CHECK;
/* Give up after a failure of any of these: nothing is left. */
void accept_abandon(struct accept *a);
void accept_free(struct accept *a);

/* An envelope in its wire form, to its end: QQ_queued, or why not. */
int accept_read_envelope(struct envelope *env, int fd) MUST_CHECK;

/* All of it, from descriptors: message to its end, then envelope (wire form). */
int accept_from_descriptors(const struct accept_origin *o, int message, int envelope) MUST_CHECK;
/* For the resident queue, which takes many at once: the message and its envelope from memory,
 * announced to nobody and not synced.  It has an id then, and an empty file; its text as it is
 * to stand in the queue is appended to *text.  beside: 0, or the id of a message it is to share
 * directories with.  QQ_queued, or why not; then nothing is left. */
int accept_prepare(struct accept *a, const struct accept_origin *o, uint64_t beside, const char *message, size_t n,
                   const char *envelope, size_t envelope_n, stralloc *text) MUST_CHECK;
/* Put it into the queue: QQ_queued, or why not; then nothing is left, but *a is to be freed. */
int accept_store(struct accept *a, const stralloc *text) MUST_CHECK;

#endif
