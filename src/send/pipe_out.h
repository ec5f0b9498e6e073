/* pipe_out: bytes waiting for a pipe that must never block the loop. */
#ifndef SEND_PIPE_OUT_H
#define SEND_PIPE_OUT_H

#include "base/loop.h"
#include "base/stralloc.h"

struct pipe_out {
  struct loop *loop;
  struct loop_io io;
  int fd;
  stralloc buf; /* add to it, then call pipe_out_flush */
  void (*failed)(void *ctx); /* the reader is gone */
  void *ctx;
};

/* Makes fd non-blocking. 0 or -1. */
int pipe_out_init(struct pipe_out *p, struct loop *loop, int fd, void (*failed)(void *), void *ctx)
    MUST_CHECK;
/* Write what the pipe takes now; the rest goes as it drains. */
void pipe_out_flush(struct pipe_out *p);
void pipe_out_free(struct pipe_out *p);

#endif
