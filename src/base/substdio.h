/* substdio: buffered input and output over an operation with a context pointer,
 * so that descriptors, deadlines, TLS and test doubles all plug in alike.
 *
 * The caller owns the buffer; a substdio is either for input or for output.
 * djb's conventions: the put and flush family gives 0, or -1 with errno;
 * the get family gives bytes, 0 at end of input, -1 with errno. */
#ifndef BASE_SUBSTDIO_H
#define BASE_SUBSTDIO_H

#include <stddef.h>
#include <sys/types.h>

#include "base/stralloc.h"

/* Reads up to len bytes into buf, or writes up to len from it: as read(2) and
 * write(2), EINTR handled inside.  May block as long as its context allows. */
typedef ssize_t (*substdio_op)(void *ctx, char *buf, size_t len);

typedef struct substdio {
  char *x;  /* buffer */
  size_t n; /* its size */
  size_t p; /* output: bytes waiting in x; input: first unread byte */
  size_t e; /* input: end of the bytes in x */
  substdio_op op;
  void *ctx;
} substdio;

#define SUBSTDIO_SIZE 8192

void substdio_init(substdio *s, substdio_op op, void *ctx, char *buf, size_t n);
/* Over a plain descriptor: blocks as the descriptor does. */
void substdio_initfd_read(substdio *s, int fd, char *buf, size_t n);
void substdio_initfd_write(substdio *s, int fd, char *buf, size_t n);

int substdio_flush(substdio *s) MUST_CHECK;
int substdio_put(substdio *s, const char *buf, size_t len) MUST_CHECK;
int substdio_puts(substdio *s, const char *str) MUST_CHECK;
int substdio_putu64(substdio *s, unsigned long long u) MUST_CHECK;
int substdio_putflush(substdio *s, const char *buf, size_t len) MUST_CHECK;
#define substdio_putlit(s, lit) substdio_put((s), "" lit, sizeof(lit) - 1)

ssize_t substdio_get(substdio *s, char *buf, size_t len) MUST_CHECK;
/* Make at least one byte available: how many there are, 0 at end, -1. */
ssize_t substdio_feed(substdio *s) MUST_CHECK;
/* The bytes that feed made available (e - p of them), and taking n of them. */
#define substdio_peek(s) ((s)->x + (s)->p)
#define substdio_have(s) ((s)->e - (s)->p)
#define substdio_take(s, len) ((void)((s)->p += (len)))

/* Copy in to out until end of input: 0, -2 read error, -3 write error. */
int substdio_copy(substdio *out, substdio *in) MUST_CHECK;

/* Append one line to sa, its separator included.  *match says whether the
 * separator was found before end of input.  At most max bytes are taken (0: no
 * limit); a longer line gives -1 with errno EMSGSIZE.  0 or -1. */
int getln(substdio *s, stralloc *sa, int *match, char sep, size_t max) MUST_CHECK;

#endif
