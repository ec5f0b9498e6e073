/* queue_list: what is in the queues, for qmail-qread and qmail-qstat.  Reads the disk;
 * needs no running daemon. */
#ifndef SEND_QUEUE_LIST_H
#define SEND_QUEUE_LIST_H

#include <stdint.h>

#include "base/strerr.h"
#include "base/substdio.h"
#include "conf/conf.h"

/* One line per message and one per recipient on out, for the queue that is the current
 * directory; with json one object per message and line.  0 or -1 with e filled. */
int queue_list_print(const struct conf *conf, const char *queue, int json, substdio *out, struct strerr *e) MUST_CHECK;

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
