/* multilog_run: the input of multilog, see multilog.h.
 *
 * tee(2) copies what is in our input pipe into a pipe of our own; the original is
 * read, and so taken away, when the copy has been written to the logs.  Only whole
 * lines are handled so, and the rest waits in the pipe for its end, for a while. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/sigfd.h"
#include "super/multilog.h"

#define CHUNK 65536
#define PATIENCE 20 /* looks at an unfinished line before it is taken as it is */
#define LOOK_MS 50

struct input {
  struct multilog *m;
  int signals;
  int copy[2]; /* -1: the input is no pipe, and is simply read */
  int stop;    /* SIGTERM has come: not one line more */
  int hangup;  /* nobody writes to the pipe any more */
  int looks;
  char buf[CHUNK];
};

static void take_signals(struct input *in) {
  int sig;

  while ((sig = sigfd_next(in->signals)) > 0) {
    if (sig == SIGTERM) in->stop = 1;
    if (sig == SIGALRM) multilog_rotate(in->m);
    if (sig == SIGCHLD) multilog_reap(in->m);
  }
}

/* Wait for input or a signal; ms bounds it when we wait for more of a line, which
 * poll(2) cannot tell from what is there already.  1 input, 0 none yet, -1. */
static int wait_input(struct input *in, int ms) {
  struct pollfd p[2] = {{.fd = in->signals, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
  int r = poll(p, ms == -1 ? 2 : 1, ms);

  if (r == -1 && errno != EINTR) return -1;
  if (r > 0 && p[0].revents) take_signals(in);
  if (ms != -1) return 1;
  if (r <= 0 || !p[1].revents) return 0;
  in->hangup = (p[1].revents & POLLHUP) != 0;
  return 1;
}

/* Bytes to handle of the n that are there: after SIGTERM up to the end of the line
 * begun; whole lines, or when none is whole, nothing while there is hope. */
static size_t portion(struct input *in, size_t n) {
  size_t lf = bytes_chr(in->buf, n, '\n');

  if (in->stop) return lf < n ? lf + 1 : n;
  if (lf < n) return bytes_rchr(in->buf, n, '\n') + 1;
  return in->hangup || in->looks >= PATIENCE || n >= CHUNK / 2 ? n : 0;
}

/* 1 went on, 0 end of input, -1. */
static int from_pipe(struct input *in) {
  ssize_t n = tee(0, in->copy[1], CHUNK, SPLICE_F_NONBLOCK);
  size_t use;

  if (n == -1) return errno == EAGAIN || errno == EINTR ? 1 : -1;
  if (n == 0) return 0;
  if (fd_read_all(in->copy[0], in->buf, (size_t)n) != 1) return -1;
  use = portion(in, (size_t)n);
  if (!use) {
    ++in->looks;
    return wait_input(in, LOOK_MS) == -1 ? -1 : 1;
  }
  in->looks = 0;
  multilog_feed(in->m, in->buf, use);
  multilog_flush(in->m);
  return fd_read_all(0, in->buf, use) == 1 ? 1 : -1;
}

static int from_file(struct input *in) {
  ssize_t n = read(0, in->buf, in->stop ? 1 : CHUNK);

  if (n == -1) return errno == EAGAIN || errno == EINTR ? 1 : -1;
  if (n == 0) return 0;
  multilog_feed(in->m, in->buf, (size_t)n);
  multilog_flush(in->m);
  return 1;
}

static int setup(struct input *in) {
  struct stat st;

  in->copy[0] = in->copy[1] = -1;
  in->signals = sigfd_open(SIGTERM, SIGALRM, SIGCHLD, 0);
  if (in->signals == -1 || fstat(0, &st) == -1) return -1;
  return S_ISFIFO(st.st_mode) ? fd_pipe(in->copy) : 0;
}

int multilog_run(struct multilog *m, struct strerr *e) {
  struct input in = {.m = m};
  int r;

  r = setup(&in) == -1 ? -1 : 1;
  while (r == 1 && !(in.stop && !m->begun)) {
    r = wait_input(&in, -1);
    if (r == 0) r = 1;
    else if (r == 1 && !(in.stop && !m->begun)) r = in.copy[0] == -1 ? from_file(&in) : from_pipe(&in);
  }
  if (r == -1) strerr_sys(e, "unable to read input", (char *)0);
  multilog_close(m);
  return r == -1 ? -1 : 0;
}
