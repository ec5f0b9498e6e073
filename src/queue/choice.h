/* choice: which queue of a collection a new message goes to.
 *
 * Two queues taken at random are compared, which spreads mail almost as evenly as comparing
 * all of them and costs the same with any number of queues: better is a queue with room on
 * its file system, then one whose daemons run (lock/trigger has a reader), then the one with
 * fewer messages (lock/waiting, and what the trigger still holds).  Only when neither has
 * both room and daemons all are looked at.  No directory is read. */
#ifndef QUEUE_CHOICE_H
#define QUEUE_CHOICE_H

#include <stdint.h>

#include "base/attr.h"
#include "queue/collection.h"

struct choice {
  int blind; /* we may not look into it: the rest is what one hopes for */
  int room, running;
  uint64_t waiting;
};

void choice_look(const char *dir, uint64_t min_free, struct choice *c);
/* Is a better than b? */
int choice_better(const struct choice *a, const struct choice *b);
/* $QUEUEDIR, or the best by the rule above; pick is any number, random or a count.  *blind:
 * nothing could be seen of the queue taken.  1, or 0 when memory ran out. */
int choice_queue(const struct collection *c, const struct conf *conf, uint64_t pick, stralloc *dir, int *blind) MUST_CHECK;

#endif
