/* queue_list: what is in the queues, for qmail-qread, qmail-qstat and qmail-rm.  Reads the
 * disk; needs no running daemon, but asks qmail-send what it knows where one runs. */
#ifndef SEND_QUEUE_LIST_H
#define SEND_QUEUE_LIST_H

#include <stdint.h>

#include "base/strerr.h"
#include "base/substdio.h"
#include "conf/conf.h"
#include "queue/envelope.h"

/* One line per message and one per recipient on out, for the queue that is the current
 * directory; LONG: with what qmail-send says of each; JSON: one object per message and line.
 * 0 or -1 with e filled.  *unread rises by the messages whose envelope cannot be read, which are
 * left out with a warning. */
enum queue_list_form { QUEUE_LIST_SHORT, QUEUE_LIST_LONG, QUEUE_LIST_JSON };
int queue_list_print(const struct conf *conf, const char *queue, enum queue_list_form form, substdio *out,
                     size_t *unread, struct strerr *e) MUST_CHECK;

/* Call fn for each accepted message of the queue that is the current directory, the oldest
 * first, until it gives other than 0: that, or -1 with e filled.  *unread as above. */
struct queue_entry {
  uint64_t id;
  int64_t tried;
  struct envelope env;
  stralloc marks;
};
typedef int (*queue_entry_fn)(void *ctx, const struct queue_entry *q, struct strerr *e);
int queue_list_entries(queue_entry_fn fn, void *ctx, size_t *unread, struct strerr *e) MUST_CHECK;
int queue_entry_is_done(const struct queue_entry *q, size_t i);

struct queue_counts {
  uint64_t messages; /* accepted */
  uint64_t untried;  /* of these, no attempt has been made or deferred yet */
  uint64_t unaccepted;
};
int queue_list_count(struct queue_counts *c, struct strerr *e) MUST_CHECK;

/* Call fn in each queue of the collection (or in $QUEUEDIR alone): the current
 * directory is the queue, name its last component.  Missing queues are skipped. */
typedef int (*queue_list_fn)(void *ctx, const char *name, struct strerr *e);
int queue_list_each(const struct conf *conf, queue_list_fn fn, void *ctx, struct strerr *e) MUST_CHECK;

#endif
