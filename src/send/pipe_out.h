/* pipe_out: bytes waiting for a pipe that must never block the loop. */
#ifndef SEND_PIPE_OUT_H
#define SEND_PIPE_OUT_H

#include "base/loop.h"
#include "base/stralloc.h"

struct pipe_out {
  struct loop *loop;
  struct loop_io io;
  struct loop_timer within;
  int fd;
  stralloc buf; /* add to it, then call pipe_out_flush or pipe_out_within */
  void (*failed)(void *ctx); /* the reader is gone */
  void *ctx;
};

/* Makes fd non-blocking. 0 or -1. */
int pipe_out_init(struct pipe_out *p, struct loop *loop, int fd, void (*failed)(void *), void *ctx)
    MUST_CHECK;
/* Write what the pipe takes now; the rest goes as it drains. */
void pipe_out_flush(struct pipe_out *p);
/* Together with what is added until then, nanoseconds from now at the latest; 0: when the events that came
 * together are over. */
void pipe_out_within(struct pipe_out *p, int64_t ns);
void pipe_out_free(struct pipe_out *p);

#endif
