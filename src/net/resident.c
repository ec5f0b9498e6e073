/* resident: see resident.h. */
#include "net/resident.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/loop.h"
#include "base/scan.h"
#include "base/sigfd.h"
#include "base/task.h"
#include "base/wait.h"
#include "net/fdpass.h"

#define CONTROL 0
#define BATCH 16 /* connections taken before those under way have their turn */

/* --- the codec ----------------------------------------------------------------------------------- */

int resident_format(stralloc *out, uint64_t number) {
  stralloc_cut(out, 0);
  return stralloc_catu64(out, number) && stralloc_append(out, 0);
}

int resident_next_over(const char *s, size_t n, size_t *pos, uint64_t *number) {
  size_t len = bytes_chr(s + *pos, n - *pos, 0);

  if (*pos == n) return 0;
  if (*pos + len == n || !scan_u64(s + *pos, len, number)) return -1;
  *pos += len + 1;
  return 1;
}

int resident_parse(const char *s, size_t n, uint64_t *number, struct env *env) {
  size_t pos = 0;

  if (resident_next_over(s, n, &pos, number) != 1) return 0;
  while (pos < n) {
    size_t len = bytes_chr(s + pos, n - pos, 0);
    size_t name = bytes_chr(s + pos, len, '=');

    if (pos + len == n || !name || name == len) return 0;
    if (!env_put(env, s + pos)) return -1;
    pos += len + 1;
  }
  return 1;
}

/* --- the server ---------------------------------------------------------------------------------- */

struct server {
  const struct resident *r;
  struct loop loop;
  struct tasks tasks;
  struct loop_io control, signals;
  stralloc over; /* numbers to be sent back */
  int ended;   /* descriptor 0 is */
  int ending;  /* when no connection is left */
};

struct connection {
  struct server *s;
  struct resident_connection c;
};

static void stop_if_done(struct server *s) {
  if (s->ending && !s->tasks.running) loop_stop(&s->loop);
}

/* A full socket is written to again when it has room. */
static void send_over(struct server *s) {
  ssize_t w;

  if (s->ended) stralloc_cut(&s->over, 0);
  if (!s->over.len) return;
  w = send(CONTROL, s->over.s, s->over.len, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (w == -1 && errno == EAGAIN) {
    (void)!loop_io_set(&s->loop, &s->control, LOOP_READ | LOOP_WRITE);
    return;
  }
  stralloc_cut(&s->over, 0);
  (void)!loop_io_set(&s->loop, &s->control, LOOP_READ);
}

/* In the connection's task. */
static void serve(void *ctx) {
  struct connection *k = ctx;
  struct server *s = k->s;

  s->r->serve(s->r->ctx, &k->c);
  wait_forget(k->c.fd);
  fd_close(k->c.fd);
  /* Without memory tcpserver goes on counting it, until we end. */
  if (stralloc_catu64(&s->over, k->c.number)) (void)!stralloc_append(&s->over, 0);
  env_free(&k->c.env);
  free(k);
  send_over(s);
  if (s->ending && s->tasks.running == 1) loop_stop(&s->loop); /* we are the last one */
}

static void give_up(struct server *s, struct connection *k, uint64_t number, int fd) {
  if (k) env_free(&k->c.env);
  free(k);
  fd_close(fd);
  if (stralloc_catu64(&s->over, number)) (void)!stralloc_append(&s->over, 0);
  send_over(s);
}

static void begin(struct server *s, const char *message, size_t n, int fd) {
  struct connection *k = calloc(1, sizeof *k);
  uint64_t number = 0;

  if (k) {
    k->s = s;
    k->c.fd = fd;
    k->c.env.inherit = 1;
    if (resident_parse(message, n, &k->c.number, &k->c.env) == 1 && task_start(&s->tasks, fd, serve, k) == 0) return;
    number = k->c.number;
  }
  give_up(s, k, number, fd);
}

static void on_control(void *ctx, int fd, unsigned events) {
  struct server *s = ctx;
  char message[RESIDENT_MESSAGE_MAX];

  if (events & LOOP_WRITE) send_over(s);
  for (int i = 0; i < BATCH; ++i) {
    int got[FDPASS_MAX];
    size_t fds;
    ssize_t n = fdpass_recv(fd, message, sizeof message, got, &fds);

    if (n == -1 && errno == EAGAIN) return;
    if (n == -1 && errno == EMSGSIZE) continue;
    if (n <= 0) {
      s->ended = s->ending = 1;
      loop_io_remove(&s->loop, &s->control);
      stop_if_done(s);
      return;
    }
    for (size_t j = 1; j < fds; ++j) fd_close(got[j]);
    if (fds) begin(s, message, (size_t)n, got[0]);
  }
}

static void on_signal(void *ctx, int fd, unsigned events) {
  struct server *s = ctx;

  while (sigfd_next(fd) > 0) s->r->stop(s->r->ctx);
  s->ending = 1;
  stop_if_done(s);
}

/* As many connections as the system allows us. */
static void raise_files(void) {
  struct rlimit files;

  if (getrlimit(RLIMIT_NOFILE, &files) == -1) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

int resident_run(const struct resident *r, struct strerr *e) {
  struct server s = {.r = r};
  int signals = sigfd_open(SIGTERM, 0);

  raise_files();
  s.tasks.loop = &s.loop;
  s.tasks.stack = r->stack;
  if (signals == -1 || fd_nonblock(CONTROL) == -1 || loop_init(&s.loop) == -1 ||
      loop_io_add(&s.loop, &s.signals, signals, LOOP_READ, on_signal, &s) == -1 ||
      loop_io_add(&s.loop, &s.control, CONTROL, LOOP_READ, on_control, &s) == -1)
    return strerr_sys(e, "unable to serve connections handed to us (-W is for tcpserver)", (char *)0);
  if (loop_run(&s.loop) == -1) return strerr_sys(e, "unable to wait for events", (char *)0);
  stralloc_free(&s.over);
  tasks_free(&s.tasks);
  loop_free(&s.loop);
  fd_close(signals);
  return 0;
}
