/* pipe_out: see pipe_out.h. */
#include "send/pipe_out.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

static void on_writable(void *ctx, int fd, unsigned events) {
  (void)fd;
  (void)events;
  pipe_out_flush(ctx);
}

int pipe_out_init(struct pipe_out *p, struct loop *loop, int fd, void (*failed)(void *), void *ctx) {
  memset(p, 0, sizeof *p);
  p->loop = loop;
  p->fd = fd;
  p->failed = failed;
  p->ctx = ctx;
  return fd_nonblock(fd);
}

void pipe_out_flush(struct pipe_out *p) {
  size_t done = 0;

  loop_timer_cancel(p->loop, &p->within);
  while (done < p->buf.len) {
    ssize_t w = write(p->fd, p->buf.s + done, p->buf.len - done);

    if (w == -1 && errno == EINTR) continue;
    if (w == -1 && errno == EAGAIN) break;
    if (w == -1) {
      p->failed(p->ctx);
      stralloc_cut(&p->buf, 0);
      break;
    }
    done += (size_t)w;
  }
  if (done) stralloc_shift(&p->buf, done);
  if (p->buf.len && !p->io.active) {
    if (loop_io_add(p->loop, &p->io, p->fd, LOOP_WRITE, on_writable, p) == -1) p->failed(p->ctx);
  } else if (!p->buf.len && p->io.active) {
    loop_io_remove(p->loop, &p->io);
  }
}

static void now_at_last(void *ctx) {
  pipe_out_flush(ctx);
}

void pipe_out_within(struct pipe_out *p, int64_t ns) {
  if (p->within.at.slot) return;
  if (loop_timer_set(p->loop, &p->within, mono_now() + ns, now_at_last, p) == -1) pipe_out_flush(p);
}

void pipe_out_free(struct pipe_out *p) {
  loop_io_remove(p->loop, &p->io);
  loop_timer_cancel(p->loop, &p->within);
  stralloc_free(&p->buf);
}
