/* substdio: see substdio.h. */
#include "base/substdio.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fmt.h"

static ssize_t fd_read(void *ctx, char *buf, size_t len) {
  ssize_t r;

  do r = read((int)(intptr_t)ctx, buf, len);
  while (r < 0 && errno == EINTR);
  return r;
}

static ssize_t fd_write(void *ctx, char *buf, size_t len) {
  ssize_t r;

  do r = write((int)(intptr_t)ctx, buf, len);
  while (r < 0 && errno == EINTR);
  return r;
}

void substdio_init(substdio *s, substdio_op op, void *ctx, char *buf, size_t n) {
  s->x = buf;
  s->n = n;
  s->p = s->e = 0;
  s->op = op;
  s->ctx = ctx;
}

void substdio_initfd_read(substdio *s, int fd, char *buf, size_t n) {
  substdio_init(s, fd_read, (void *)(intptr_t)fd, buf, n);
}

void substdio_initfd_write(substdio *s, int fd, char *buf, size_t n) {
  substdio_init(s, fd_write, (void *)(intptr_t)fd, buf, n);
}

static int write_all(substdio *s, const char *buf, size_t len) {
  while (len) {
    ssize_t w = s->op(s->ctx, (char *)(uintptr_t)buf, len);

    if (w < 0) return -1;
    if (w == 0) { /* a write of nothing would spin for ever */
      errno = EIO;
      return -1;
    }
    buf += w;
    len -= (size_t)w;
  }
  return 0;
}

int substdio_flush(substdio *s) {
  size_t p = s->p;

  if (!p) return 0;
  s->p = 0;
  return write_all(s, s->x, p);
}

int substdio_put(substdio *s, const char *buf, size_t len) {
  if (len > s->n - s->p) {
    if (substdio_flush(s) == -1) return -1;
    if (len >= s->n) return write_all(s, buf, len);
  }
  if (len) memcpy(s->x + s->p, buf, len);
  s->p += len;
  return 0;
}

int substdio_puts(substdio *s, const char *str) {
  return substdio_put(s, str, strlen(str));
}

int substdio_putu64(substdio *s, unsigned long long u) {
  char buf[FMT_U64];

  return substdio_put(s, buf, fmt_u64(buf, u));
}

int substdio_putflush(substdio *s, const char *buf, size_t len) {
  if (substdio_put(s, buf, len) == -1) return -1;
  return substdio_flush(s);
}

ssize_t substdio_feed(substdio *s) {
  ssize_t r;

  if (s->p < s->e) return (ssize_t)(s->e - s->p);
  r = s->op(s->ctx, s->x, s->n);
  if (r <= 0) return r;
  s->p = 0;
  s->e = (size_t)r;
  return r;
}

ssize_t substdio_get(substdio *s, char *buf, size_t len) {
  ssize_t r;

  if (s->p == s->e && len >= s->n) return s->op(s->ctx, buf, len);
  r = substdio_feed(s);
  if (r <= 0) return r;
  if ((size_t)r < len) len = (size_t)r;
  if (len) memcpy(buf, s->x + s->p, len);
  s->p += len;
  return (ssize_t)len;
}

int substdio_copy(substdio *out, substdio *in) {
  for (;;) {
    ssize_t r = substdio_feed(in);

    if (r < 0) return -2;
    if (r == 0) return 0;
    if (substdio_put(out, substdio_peek(in), (size_t)r) == -1) return -3;
    substdio_take(in, (size_t)r);
  }
}

int getln(substdio *s, stralloc *sa, int *match, char sep, size_t max) {
  size_t start = sa->len;

  for (;;) {
    ssize_t r = substdio_feed(s);
    size_t have;
    size_t i;

    if (r < 0) return -1;
    if (r == 0) {
      *match = 0;
      return 0;
    }
    have = (size_t)r;
    i = bytes_chr(substdio_peek(s), have, sep);
    if (i < have) have = i + 1;
    if (max && sa->len - start + have > max) {
      errno = EMSGSIZE;
      return -1;
    }
    if (!stralloc_catb(sa, substdio_peek(s), have)) return -1;
    substdio_take(s, have);
    if (i + 1 == have) {
      *match = 1;
      return 0;
    }
  }
}
