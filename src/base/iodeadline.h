/* iodeadline: substdio operations on a descriptor that give up at an absolute
 * deadline, so that a peer that drips bytes runs out of time all the same. */
#ifndef BASE_IODEADLINE_H
#define BASE_IODEADLINE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/now.h"

struct iodeadline {
  int fd;
  deadline when;    /* set before each command or block */
  deadline session; /* the earlier of the two counts; DEADLINE_NEVER: none */
  int nonblock;     /* not a socket, but O_NONBLOCK is set: written to without waiting first */
  int64_t patience; /* iodeadline_answer: the socket's timeout in ns, which it has changed; 0: not known */
  unsigned full;    /* reads in a row that filled their buffer: the next will not have to wait */
};

/* For substdio_init, ctx a struct iodeadline: errno ETIMEDOUT at the deadline. */
ssize_t iodeadline_read(void *ctx, char *buf, size_t len);
/* The same for an answer on a blocking socket that no other process has, its timeout being changed: where the process
 * has nothing else to wait for, the read itself waits, which on an idle machine hears of it sooner than poll(2). */
ssize_t iodeadline_answer(void *ctx, char *buf, size_t len);
ssize_t iodeadline_write(void *ctx, char *buf, size_t len);

#endif
