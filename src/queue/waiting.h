/* waiting: how many messages a queue holds that are not finished, told by todo-proc in
 * lock/waiting so that nobody need count them: 20 digits and LF, written in place.  A guess
 * for choosing among queues, nothing that mail depends on. */
#ifndef QUEUE_WAITING_H
#define QUEUE_WAITING_H

#include <stdint.h>

#include "base/attr.h"

#define QUEUE_WAITING "lock/waiting"

/* Open it for writing in the current queue; -1 where there is none. */
int waiting_open(void);
void waiting_put(int fd, uint64_t n);
/* The number in a file's text: 1 or 0. */
int waiting_parse(const char *s, uint64_t n, uint64_t *count);

#endif
