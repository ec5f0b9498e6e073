/* iodeadline: substdio operations on a descriptor that give up at an absolute
 * deadline, so that a peer that drips bytes runs out of time all the same. */
#ifndef BASE_IODEADLINE_H
#define BASE_IODEADLINE_H

#include <sys/types.h>

#include "base/now.h"

struct iodeadline {
  int fd;
  deadline when;    /* set before each command or block */
  deadline session; /* the earlier of the two counts; DEADLINE_NEVER: none */
  int nonblock;     /* not a socket, but O_NONBLOCK is set: written to without waiting first */
  unsigned full;    /* reads in a row that filled their buffer: the next will not have to wait */
};

/* For substdio_init, ctx a struct iodeadline: errno ETIMEDOUT at the deadline. */
ssize_t iodeadline_read(void *ctx, char *buf, size_t len);
ssize_t iodeadline_write(void *ctx, char *buf, size_t len);

#endif
