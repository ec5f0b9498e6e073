/* held: see held.h. */
#include "smtp/held.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "queue/filter.h"

static int put_in_file(struct held *h, const char *s, size_t n) {
  if (!h->has_file) {
    int fd = filter_temporary();

    if (fd == -1) return -1;
    h->fd = fd;
    h->has_file = 1;
  }
  return fd_write_all(h->fd, s, n);
}

int held_put(struct held *h, const char *s, size_t n) {
  size_t room = h->has_file ? 0 : HELD_IN_MEMORY - h->bytes.len;
  size_t first = n < room ? n : room;

  if (first && !stralloc_catb(&h->bytes, s, first)) {
    errno = ENOMEM;
    return -1;
  }
  return first == n ? 0 : put_in_file(h, s + first, n - first);
}

int held_read(const struct held *h, void (*take)(void *ctx, const char *s, size_t n), void *ctx) {
  char buf[8192];
  off_t at = 0;

  if (h->bytes.len) take(ctx, h->bytes.s, h->bytes.len);
  while (h->has_file) {
    ssize_t r = pread(h->fd, buf, sizeof buf, at);

    if (r == -1 && errno == EINTR) continue;
    if (r <= 0) return (int)r;
    take(ctx, buf, (size_t)r);
    at += r;
  }
  return 0;
}

void held_free(struct held *h) {
  stralloc_free(&h->bytes);
  if (h->has_file) fd_close(h->fd);
  memset(h, 0, sizeof *h);
}
