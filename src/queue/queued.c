/* queued: see queued.h. */
#include "queue/queued.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/sigfd.h"
#include "queue/choice.h"
#include "queue/collection.h"
#include "queue/exitcodes.h"
#include "queue/extras.h"
#include "queue/queued_proto.h"
#include "queue/queued_queue.h"
#include "queue/transition.h"

#define REQUEST_SECONDS 10 /* a request is in memory on the other side: it comes at once */
#define IDLE_SECONDS 60    /* then a kept connection is closed */
#define CLIENTS_MAX 1000
#define REQUEST_MAX (QUEUED_HEAD_MAX + QUEUED_DIR_MAX + QUEUED_MESSAGE_MAX + QUEUED_ENVELOPE_MAX)
#define KEEP_BYTES 16384 /* a larger buffer is given back between requests */

struct client {
  struct server *server;
  int fd;
  uint64_t uid;
  stralloc in;
  struct queued_head head; /* once the line is there: head_n > 0 */
  size_t head_n;
  struct loop_io io;
  struct loop_timer patience;
  struct client *next;
};

struct server {
  const struct conf *conf;
  struct conf rules; /* EXTRAS, loaded again when a file of theirs changes */
  uint64_t stamp;
  struct extras extras;
  int process; /* they need qmail-queue, or cannot be read: clients are sent there */
  struct collection collection;
  struct queued_queues queues;
  struct queued_batch batch;
  struct loop loop;
  struct loop_io listener, signals;
  struct loop_timer ready, tick;
  struct client *clients;
  size_t clients_n;
  struct client *requests[QUEUED_BATCH]; /* complete ones, in the order they came */
  size_t requests_n;
  stralloc dir, answer;
  uint64_t next; /* turn of the queues */
};

/* --- clients ------------------------------------------------------------------------------------- */

static void drop_client(struct client *c) {
  struct server *s = c->server;
  struct client **p = &s->clients;

  while (*p != c) p = &(*p)->next;
  *p = c->next;
  s->clients_n--;
  loop_io_remove(&s->loop, &c->io);
  loop_timer_cancel(&s->loop, &c->patience);
  fd_close(c->fd);
  stralloc_free(&c->in);
  free(c);
  (void)!loop_io_set(&s->loop, &s->listener, LOOP_READ);
}

static void give_up(void *ctx) {
  struct client *c = ctx;

  shutdown(c->fd, SHUT_RDWR); /* a child that settles has it too, for a while */
  drop_client(c);
}

/* Somebody who says nothing, or stops in the middle, is given up after a while. */
static int wait_for_it(struct client *c, int64_t seconds) {
  return loop_timer_set(&c->server->loop, &c->patience, deadline_in(seconds), give_up, c) == 0;
}

static void answer(struct client *c, int code, uint64_t id) {
  stralloc *out = &c->server->answer;

  stralloc_cut(out, 0);
  if (!queued_answer_format(out, code, id) || send(c->fd, out->s, out->len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)out->len)
    shutdown(c->fd, SHUT_RDWR); /* it must not wait for what does not come */
}

/* --- a batch ------------------------------------------------------------------------------------- */

/* A queue the client names must be one of the collection. */
static int may_use(const struct server *s, const char *dir, size_t n) {
  const stralloc *base = &s->collection.base;

  return n > base->len && !memcmp(dir, base->s, base->len) && dir[base->len] == '/' &&
         file_name_ok(dir + base->len + 1, n - base->len - 1);
}

static int enough_room(const struct server *s, uint64_t wanted) {
  uint64_t own = conf_number(s->conf, SET_min_free);
  uint64_t min_free = wanted > own ? wanted : own;
  struct statvfs fs;

  if (!min_free) return 1;
  return statvfs(".", &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize >= min_free;
}

static const char *dir_of(const struct client *c) {
  return c->in.s + c->head_n;
}

static int same_queue(const struct client *a, const struct client *b) {
  return a->head.dir == b->head.dir && !memcmp(dir_of(a), dir_of(b), a->head.dir);
}

static int take(struct server *s, struct queued_queue *q, const struct client *c) {
  struct accept_origin o = {.uid = c->uid, .extras = &s->extras};
  const char *message = dir_of(c) + c->head.dir;

  if (!enough_room(s, c->head.min_free)) return QQ_write;
  if (!c->head.hide && !conf_flag(s->conf, SET_hide_host)) o.host = conf_line(s->conf, SET_me);
  return queued_batch_add(&s->batch, q, &o, message, c->head.message, message + c->head.message, c->head.envelope);
}

/* Those that go where the first one goes: how many of the requests are answered now. */
static void commit_some(struct server *s, struct client *const *request, size_t n, int done[QUEUED_BATCH]) {
  const struct client *first = request[0];
  size_t placed[QUEUED_BATCH];
  int code[QUEUED_BATCH], refused[QUEUED_BATCH];
  uint64_t id[QUEUED_BATCH];
  struct queued_queue *q = 0;
  size_t in_batch;
  int blind;

  if (first->head.dir ? may_use(s, dir_of(first), first->head.dir) && stralloc_copyb(&s->dir, dir_of(first), first->head.dir)
                      : choice_queue(&s->collection, s->conf, s->next++, &s->dir, &blind))
    q = queued_enter(&s->queues, &s->dir);
  for (size_t i = 0; i < n; ++i) {
    done[i] = same_queue(first, request[i]);
    placed[i] = s->batch.n;
    refused[i] = !done[i] ? 0 : q && !s->process ? take(s, q, request[i]) : QQ_chdir;
  }
  in_batch = s->batch.n;
  if (q && in_batch) queued_batch_commit(&s->batch, q, code, id);
  for (size_t i = 0; i < n; ++i)
    if (done[i]) answer(request[i], refused[i] != QQ_queued ? refused[i] : code[placed[i]], refused[i] != QQ_queued ? 0 : id[placed[i]]);
  if (q && in_batch) queued_batch_announce(&s->batch, q);
  if (q) queued_settle(q);
}

/* --- requests ------------------------------------------------------------------------------------ */

/* 1 complete, 0 more is to come, -1 it is none. */
static int complete(struct client *c) {
  if (!c->head_n) {
    size_t n = bytes_chr(c->in.s, c->in.len < QUEUED_HEAD_MAX ? c->in.len : QUEUED_HEAD_MAX, '\n');

    if (n == QUEUED_HEAD_MAX) return -1;
    if (n == c->in.len) return 0;
    if (!queued_head_parse(c->in.s, n, &c->head)) return -1;
    c->head_n = n + 1;
  }
  return c->in.len >= c->head_n + c->head.dir + c->head.message + c->head.envelope;
}

/* Ready for the next request, which may have come already. */
static void next_request(struct client *c) {
  struct server *s = c->server;
  int got;

  stralloc_shift(&c->in, c->head_n + c->head.dir + c->head.message + c->head.envelope);
  c->head_n = 0;
  if (!c->in.len && c->in.a > KEEP_BYTES) stralloc_free(&c->in);
  got = c->in.len ? complete(c) : 0;
  if (got == 1) s->requests[s->requests_n++] = c;
  else if (got == -1 || !wait_for_it(c, IDLE_SECONDS)) drop_client(c);
}

static void commit_all(void *ctx) {
  struct server *s = ctx;

  while (s->requests_n) {
    struct client *request[QUEUED_BATCH];
    int done[QUEUED_BATCH];
    size_t n = s->requests_n;

    memcpy(request, s->requests, n * sizeof *request);
    commit_some(s, request, n, done);
    s->requests_n = 0;
    for (size_t i = 0; i < n; ++i)
      if (!done[i]) s->requests[s->requests_n++] = request[i];
    for (size_t i = 0; i < n; ++i)
      if (done[i]) next_request(request[i]);
  }
}

/* The batch is committed when every client that is ready was read from. */
static void add_request(struct client *c) {
  struct server *s = c->server;

  loop_timer_cancel(&s->loop, &c->patience);
  s->requests[s->requests_n++] = c;
  if (s->requests_n == QUEUED_BATCH) commit_all(s);
  else if (s->requests_n == 1 && loop_timer_set(&s->loop, &s->ready, mono_now(), commit_all, s) == -1) commit_all(s);
}

static void on_client(void *ctx, int fd, unsigned events) {
  struct client *c = ctx;
  size_t want = c->head_n ? c->head_n + c->head.dir + c->head.message + c->head.envelope - c->in.len : 4096;
  int was_empty = !c->in.len;
  ssize_t r;
  int got;

  (void)events;
  if (c->in.len + want > REQUEST_MAX || !stralloc_readyplus(&c->in, want < 4096 ? 4096 : want)) {
    drop_client(c);
    return;
  }
  r = recv(fd, c->in.s + c->in.len, c->in.a - 1 - c->in.len, MSG_DONTWAIT);
  if (r == -1 && (errno == EAGAIN || errno == EINTR)) return;
  if (r <= 0) {
    drop_client(c);
    return;
  }
  c->in.len += (size_t)r;
  c->in.s[c->in.len] = 0;
  got = complete(c);
  if (got == 1) add_request(c);
  if (got == -1) answer(c, QQ_envelope, 0);
  if (got == -1 || (got == 0 && was_empty && !wait_for_it(c, REQUEST_SECONDS))) drop_client(c);
}

static void on_listener(void *ctx, int fd, unsigned events) {
  struct server *s = ctx;
  struct ucred who;
  socklen_t len = sizeof who;
  struct client *c;
  int conn;

  (void)events;
  if (s->clients_n == CLIENTS_MAX) { /* others wait in the kernel's queue */
    (void)!loop_io_set(&s->loop, &s->listener, 0);
    return;
  }
  conn = accept4(fd, 0, 0, SOCK_CLOEXEC);
  if (conn == -1) return;
  c = calloc(1, sizeof *c);
  if (!c || getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1 ||
      loop_io_add(&s->loop, &c->io, conn, LOOP_READ, on_client, c) == -1) {
    free(c);
    fd_close(conn);
    return;
  }
  c->server = s;
  c->fd = conn;
  c->uid = who.uid;
  c->next = s->clients;
  s->clients = c;
  s->clients_n++;
  if (!wait_for_it(c, REQUEST_SECONDS)) drop_client(c);
}

/* --- the process --------------------------------------------------------------------------------- */

/* What cannot be read is no reason to do without: qmail-queue tells each client so. */
static void load_extras(struct server *s) {
  struct strerr e;

  extras_free(&s->extras);
  conf_free(&s->rules);
  s->stamp = conf_stamp(CONF_EXTRAS, 0);
  s->process = conf_load(&s->rules, CONF_EXTRAS, &e) == -1 || extras_load(&s->extras, &s->rules, 0) == -1 ||
               extras_need_process(&s->rules);
}

static void on_tick(void *ctx) {
  struct server *s = ctx;

  if (conf_stamp(CONF_EXTRAS, 0) != s->stamp) load_extras(s);
  queued_tick(&s->queues);
  (void)!loop_timer_set(&s->loop, &s->tick, deadline_in(1), on_tick, s);
}

static void on_signal(void *ctx, int fd, unsigned events) {
  struct server *s = ctx;
  int sig, status;
  pid_t pid;

  (void)events;
  while ((sig = sigfd_next(fd)) > 0)
    if (sig == SIGTERM) loop_stop(&s->loop);
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) queued_reaped(&s->queues, pid, status);
}

/* Whoever was here before us may have died with messages of which the clients knew, and todo-proc did not. */
static void look_everywhere(struct server *s) {
  for (uint64_t i = 0; i < s->collection.count; ++i)
    if (collection_queue(&s->collection, i, &s->dir)) queue_announce_unknown(s->dir.s);
}

int queued_serve(int listener, const struct conf *conf, struct strerr *e) {
  struct server *s = calloc(1, sizeof *s);
  int sig = sigfd_open(SIGTERM, SIGCHLD, 0);

  if (!s || sig == -1) return strerr_sys(e, "unable to start", (char *)0);
  s->conf = conf;
  s->next = (uint64_t)getpid();
  if (collection_load(&s->collection, conf, e) == -1) return -1;
  s->queues.boot_file = conf_line(conf, SET_bootid);
  s->queues.order = conf_line(conf, SET_metadata_order);
  s->queues.journal_size = conf_number(conf, SET_journal_size);
  if (loop_init(&s->loop) == -1 || loop_io_add(&s->loop, &s->listener, listener, LOOP_READ, on_listener, s) == -1 ||
      loop_io_add(&s->loop, &s->signals, sig, LOOP_READ, on_signal, s) == -1)
    return strerr_sys(e, "unable to watch descriptors", (char *)0);
  look_everywhere(s);
  load_extras(s);
  on_tick(s);
  if (loop_run(&s->loop) == -1) return strerr_sys(e, "unable to wait for events", (char *)0);
  while (s->clients) give_up(s->clients);
  extras_free(&s->extras);
  conf_free(&s->rules);
  queued_queues_free(&s->queues);
  queued_batch_free(&s->batch);
  return 0;
}
