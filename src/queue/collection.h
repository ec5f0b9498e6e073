/* collection: several queues side by side, QUEUE_BASE/queueN for N = QUEUE_START ..
 * QUEUE_START + QUEUE_COUNT - 1. */
#ifndef QUEUE_COLLECTION_H
#define QUEUE_COLLECTION_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "conf/conf.h"

struct collection {
  stralloc base;
  uint64_t start, count;
};

/* From settings (QUEUE readers): 0 or -1. */
int collection_load(struct collection *c, const struct conf *conf, struct strerr *e) MUST_CHECK;
/* Directory of queue number start + i. */
int collection_queue(const struct collection *c, uint64_t i, stralloc *dir) MUST_CHECK;
/* The queue a new message goes to: $QUEUEDIR, else one of the collection by the
 * number given (random, or a count). */
int collection_choose(const struct collection *c, const struct conf *conf, uint64_t pick,
                      stralloc *dir) MUST_CHECK;
/* For the daemons of one queue: read the settings, find the queue ($QUEUEDIR, else the
 * first of the collection) and make it the current directory, dir.  0 or -1. */
int collection_enter(stralloc *dir, struct strerr *e) MUST_CHECK;
/* The last component of a queue's directory: "queue3", as logs name it. */
const char *collection_name(const char *dir);
void collection_free(struct collection *c);

#endif
