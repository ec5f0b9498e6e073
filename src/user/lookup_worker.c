/* lookup_worker: see lookup_worker.h.  A client may send many requests at once; it
 * is read from again when its answers are gone, so its memory is bounded.  When all
 * places are taken the client that was silent longest loses its own: clients connect
 * again by themselves. */
#include "user/lookup_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/sigfd.h"
#include "conf/sandbox.h"

#define CLIENTS_MAX 500
#define OTHER_FILES 30 /* descriptors kept for the database and ourselves */
#define LATER_MS 250 /* between attempts to write what could not be written */
#define UNFINISHED_SECONDS 10 /* for the rest of a request, or for taking an answer */

struct client {
  struct loop_io io;
  struct loop_timer timer;
  struct state *st;
  struct client *next, *prev; /* longest silent first */
  uid_t uid;
  deadline hold; /* what is in out goes out no sooner */
  stralloc in, out;
};

struct state {
  struct lookup_worker *w;
  struct loop loop;
  struct loop_io listener, fifo, signals;
  struct loop_timer later, round; /* round: set while one is under way */
  int behind; /* it is set */
  struct client ends; /* of the list */
  unsigned clients, clients_max;
  stralloc fifo_in;
};

static void unlink_client(struct client *c) {
  c->prev->next = c->next;
  c->next->prev = c->prev;
}

static void link_last(struct client *c) {
  struct client *ends = &c->st->ends;

  c->prev = ends->prev;
  c->next = ends;
  ends->prev->next = c;
  ends->prev = c;
}

static void drop(struct client *c) {
  loop_io_remove(&c->st->loop, &c->io);
  loop_timer_cancel(&c->st->loop, &c->timer);
  unlink_client(c);
  c->st->clients--;
  fd_close(c->io.fd);
  stralloc_wipe(&c->in);
  stralloc_wipe(&c->out);
  free(c);
}

static void timed_out(void *ctx) {
  drop(ctx);
}

/* What an answer has left to be written. */
static void catch_up(void *ctx);

static void see_later(struct state *st) {
  if (!st->behind && lookup_service_behind(st->w->service))
    st->behind = loop_timer_set(&st->loop, &st->later, mono_now() + LATER_MS * NS_PER_MS, catch_up, st) == 0;
}

static void catch_up(void *ctx) {
  struct state *st = ctx;

  st->behind = 0;
  lookup_service_later(st->w->service);
  see_later(st);
}

static void round_over(void *ctx) {
  struct state *st = ctx;

  loop_timer_cancel(&st->loop, &st->round);
  lookup_service_round_over(st->w->service);
}

/* What is ready now was asked before any of it is answered: one round, until the loop has handed it out.  A client's
 * second question may have come later than that. */
static void go_round(struct state *st) {
  if (!st->round.at.slot && loop_timer_set(&st->loop, &st->round, mono_now(), round_over, st) == 0) lookup_service_round(st->w->service);
}

/* Answers the whole requests in c->in: 1, or 0 if the client must go. */
static int answer_all(struct client *c) {
  size_t done = 0;
  int ok = 1;

  while (ok && c->out.len < LOOKUP_ANSWER_MAX) {
    long n = lookup_frame(c->in.s + done, c->in.len - done, LOOKUP_REQUEST_MAX);
    struct lookup_field reply;
    unsigned wait;

    if (n == 0 || c->hold) break;
    if (n == -1) return 0;
    if (done) round_over(c->st);
    ok = lookup_answer(c->st->w->service, c->in.s + done, (size_t)n, c->uid, &c->out, &reply, &wait);
    if (wait) c->hold = mono_now() + (int64_t)wait * NS_PER_MS;
    explicit_bzero(c->in.s + done, (size_t)n); /* it may have held a password */
    done += (size_t)n;
  }
  see_later(c->st);
  stralloc_shift(&c->in, done);
  if (c->in.len) round_over(c->st);
  return ok;
}

/* Sends what it can: 1, or 0 if the client must go. */
static int send_out(struct client *c) {
  size_t sent = 0;

  if (c->hold) return 1;
  while (sent < c->out.len) {
    ssize_t w = send(c->io.fd, c->out.s + sent, c->out.len - sent, MSG_NOSIGNAL);

    if (w == -1 && errno == EINTR) continue;
    if (w == -1 && errno == EAGAIN) break;
    if (w == -1) return 0;
    sent += (size_t)w;
  }
  stralloc_shift(&c->out, sent);
  return 1;
}

static void held_enough(void *ctx);

/* After each step: wait for what comes next, and not for ever for half a thing. */
static int rearm(struct client *c) {
  struct loop *l = &c->st->loop;

  if (c->hold) return loop_io_set(l, &c->io, 0) == 0 && loop_timer_set(l, &c->timer, c->hold, held_enough, c) == 0;
  if (loop_io_set(l, &c->io, c->out.len ? LOOP_WRITE : LOOP_READ) == -1) return 0;
  if (!c->out.len && !c->in.len) {
    loop_timer_cancel(l, &c->timer);
    return 1;
  }
  return loop_timer_set(l, &c->timer, deadline_in(UNFINISHED_SECONDS), timed_out, c) == 0;
}

static int read_in(struct client *c) {
  ssize_t r;

  if (!stralloc_ready(&c->in, LOOKUP_REQUEST_MAX)) return 0;
  r = read(c->io.fd, c->in.s + c->in.len, LOOKUP_REQUEST_MAX - c->in.len);
  if (r == -1) return errno == EAGAIN || errno == EINTR;
  if (r == 0) return 0;
  c->in.len += (size_t)r;
  c->in.s[c->in.len] = 0;
  return 1;
}

static void go_on(struct client *c, int ok) {
  do ok = ok && send_out(c) && (c->out.len || answer_all(c)) && send_out(c);
  while (ok && !c->out.len && c->in.len && lookup_frame(c->in.s, c->in.len, LOOKUP_REQUEST_MAX) > 0);
  if (!ok || !rearm(c)) drop(c);
}

static void held_enough(void *ctx) {
  struct client *c = ctx;

  c->hold = 0;
  go_on(c, 1);
}

static void client_ready(void *ctx, int fd, unsigned events) {
  struct client *c = ctx;

  if (c->hold) { /* nothing is waited for but its end */
    drop(c);
    return;
  }
  unlink_client(c);
  link_last(c);
  go_round(c->st);
  go_on(c, events & LOOP_READ ? read_in(c) : 1);
}

static void add_client(struct state *st, int fd) {
  struct client *c = calloc(1, sizeof *c);
  struct ucred peer;
  socklen_t n = sizeof peer;

  if (!c || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == -1 ||
      loop_io_add(&st->loop, &c->io, fd, LOOP_READ, client_ready, c) == -1) {
    free(c);
    fd_close(fd);
    return;
  }
  c->st = st;
  c->uid = peer.uid;
  link_last(c);
  if (++st->clients > st->clients_max) drop(st->ends.next);
}

static void connection_ready(void *ctx, int fd, unsigned events) {
  struct state *st = ctx;
  int client;

  while ((client = accept4(fd, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK)) != -1) add_client(st, client);
  /* No descriptor left for it: it waits until one is free. */
  if ((errno == EMFILE || errno == ENFILE) && st->clients) drop(st->ends.next);
}

/* --- the FIFO */

/* Opens the client's reply FIFO, which must be one, in the one directory where they
 * may be. */
static int open_reply(int replies, const struct lookup_field *name) {
  char path[LOOKUP_NAME_MAX + 1];
  struct stat st;
  int fd;

  memcpy(path, name->s, name->n);
  path[name->n] = 0;
  fd = openat(replies, path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISFIFO(st.st_mode))) fd = fd_close(fd);
  return fd;
}

/* One request from the FIFO: an answer too large for one write of a pipe does not go
 * out, and the client times out. */
static void answer_fifo(struct state *st, const char *msg, size_t n) {
  struct lookup_field reply;
  stralloc out = STRALLOC_INIT;
  unsigned wait; /* nobody may ask for passwords here */
  int fd;

  if (lookup_answer(st->w->service, msg, n, LOOKUP_NOBODY, &out, &reply, &wait) && reply.n) {
    fd = open_reply(st->w->replies, &reply);
    if (fd != -1) (void)!write(fd, out.s, out.len);
    fd_close(fd);
  }
  stralloc_free(&out);
}

static void fifo_ready(void *ctx, int fd, unsigned events) {
  struct state *st = ctx;
  stralloc *in = &st->fifo_in;
  ssize_t r;
  size_t done = 0;
  long n;

  round_over(st);
  if (!stralloc_ready(in, 2 * LOOKUP_REQUEST_MAX)) return;
  r = read(fd, in->s + in->len, 2 * LOOKUP_REQUEST_MAX - in->len);
  if (r <= 0) return;
  in->len += (size_t)r;
  in->s[in->len] = 0;
  while ((n = lookup_frame(in->s + done, in->len - done, LOOKUP_REQUEST_MAX)) > 0) {
    answer_fifo(st, in->s + done, (size_t)n);
    done += (size_t)n;
  }
  /* Whoever wrote rubbish has spoilt what is in the pipe: begin anew. */
  stralloc_shift(in, n == -1 ? in->len : done);
}

static void signal_ready(void *ctx, int fd, unsigned events) {
  struct state *st = ctx;
  int sig;

  while ((sig = sigfd_next(fd)) > 0)
    if (sig == SIGHUP) lookup_service_forget(st->w->service);
    else loop_stop(&st->loop);
}

/* As many as the limit on descriptors allows. */
static unsigned places(void) {
  struct rlimit files;

  if (getrlimit(RLIMIT_NOFILE, &files) == -1 || files.rlim_cur > CLIENTS_MAX + OTHER_FILES) return CLIENTS_MAX;
  return files.rlim_cur > OTHER_FILES ? (unsigned)(files.rlim_cur - OTHER_FILES) : 1;
}

/* SQLite keeps files of its own beside the database; where nobody has made its directory yet, that
 * will be in the one above. */
static void give_up(const struct lookup_worker *w) {
  stralloc dir = STRALLOC_INIT, above = STRALLOC_INIT;
  int r;

  if (!w->service->place->is_file) { /* it is to call a server, and load its library */
    sandbox_start(SANDBOX_inlookup_mysql, w->sandbox, 0, "inlookup: ");
    return;
  }
  r = file_dirname(w->service->place->where.s, &dir);
  if (r == 0 && access(dir.s, F_OK) == -1) {
    r = file_dirname(dir.s, &above);
    if (r == 0 && !stralloc_copy(&dir, &above)) r = -1;
  }
  if (r == 0) sandbox_start(SANDBOX_inlookup, w->sandbox, &(struct sandbox_places){.change = dir.s}, "inlookup: ");
  stralloc_free(&dir);
  stralloc_free(&above);
}

int lookup_worker_run(struct lookup_worker *w, struct strerr *e) {
  struct state st = {.w = w, .clients_max = places()};
  int signals = sigfd_open(SIGTERM, SIGINT, SIGHUP, SIGUSR1, 0);
  int r;

  st.ends.next = st.ends.prev = &st.ends;
  if (signals == -1 || loop_init(&st.loop) == -1 ||
      loop_io_add(&st.loop, &st.signals, signals, LOOP_READ, signal_ready, &st) == -1 ||
      loop_io_add(&st.loop, &st.listener, w->listener, LOOP_READ, connection_ready, &st) == -1 ||
      (w->fifo != -1 && loop_io_add(&st.loop, &st.fifo, w->fifo, LOOP_READ, fifo_ready, &st) == -1))
    return strerr_sys(e, "unable to start a worker", (char *)0);
  give_up(w);
  r = loop_run(&st.loop);
  if (r == -1) strerr_sys(e, "unable to wait for requests", (char *)0);
  while (st.clients) drop(st.ends.next);
  lookup_service_later(w->service);
  stralloc_free(&st.fifo_in);
  loop_free(&st.loop);
  fd_close(signals);
  lookup_service_free(w->service);
  return r;
}
