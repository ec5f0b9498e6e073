/* log_buffer: several log lines in one write, each write still whole lines and at
 * most PIPE_BUF bytes. */
#ifndef BASE_LOG_BUFFER_H
#define BASE_LOG_BUFFER_H

#include <limits.h>

#include "base/log.h"

struct log_buffer {
  int fd;
  const char *prefix; /* before each line; a constant of at most 256 bytes */
  size_t n;
  char buf[PIPE_BUF];
};

void log_buffer_init(struct log_buffer *b, int fd, const char *prefix);
void log_buffer_add(struct log_buffer *b, enum log_event event, const struct log_arg *arg, size_t args);
void log_buffer_flush(struct log_buffer *b);

#endif
