/* log_buffer: see log_buffer.h. */
#include "send/log_buffer.h"

#include <unistd.h>

#define LINE_MAX_BYTES 2048

void log_buffer_init(struct log_buffer *b, int fd) {
  b->fd = fd;
  b->n = 0;
}

void log_buffer_add(struct log_buffer *b, enum log_event event, const struct log_arg *arg, size_t args) {
  if (sizeof b->buf - b->n <= LINE_MAX_BYTES) log_buffer_flush(b);
  b->n += log_format(b->buf + b->n, LINE_MAX_BYTES - 1, event, arg, args);
  b->buf[b->n++] = '\n';
}

void log_buffer_flush(struct log_buffer *b) {
  if (b->n) (void)!write(b->fd, b->buf, b->n);
  b->n = 0;
}
