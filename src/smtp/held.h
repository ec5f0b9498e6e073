/* held: a message that has to wait for its sender: QMTP names him behind it.  What is short stays in
 * memory, the rest of a longer one is in a file without a name. */
#ifndef SMTP_HELD_H
#define SMTP_HELD_H

#include <stdint.h>

#include "base/stralloc.h"

#define HELD_IN_MEMORY 32768

/* Zeroed before use. */
struct held {
  stralloc bytes; /* the first */
  int has_file;
  int fd;
};

/* Some more of it: 0, or -1 with errno. */
int held_put(struct held *h, const char *s, size_t n) MUST_CHECK;
/* All of it, in pieces, from its start: 0, or -1 with errno. */
int held_read(const struct held *h, void (*take)(void *ctx, const char *s, size_t n), void *ctx) MUST_CHECK;
/* Idempotent. */
void held_free(struct held *h);

#endif
