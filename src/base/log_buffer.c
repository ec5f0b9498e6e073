/* log_buffer: see log_buffer.h. */
#include "base/log_buffer.h"

#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

void log_buffer_init(struct log_buffer *b, int fd, const char *prefix) {
  b->fd = fd;
  b->prefix = prefix;
  b->n = 0;
}

void log_buffer_add(struct log_buffer *b, enum log_event event, const struct log_arg *arg, size_t args) {
  size_t n = strlen(b->prefix);

  if (sizeof b->buf - b->n <= LINE_MAX_BYTES) log_buffer_flush(b);
  memcpy(b->buf + b->n, b->prefix, n);
  b->n += n;
  b->n += log_format(b->buf + b->n, LINE_MAX_BYTES - 1 - n, event, arg, args);
  b->buf[b->n++] = '\n';
}

void log_buffer_flush(struct log_buffer *b) {
  if (b->n) (void)!write(b->fd, b->buf, b->n);
  b->n = 0;
}
