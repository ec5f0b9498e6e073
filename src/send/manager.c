/* manager: see manager.h. */
#include "send/manager.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fmt.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/sigfd.h"
#include "mail/dsn.h"
#include "queue/queuepath.h"
#include "queue/spawn_proto.h"
#include "queue/transition.h"
#include "send/bounce.h"
#include "send/bounce_text.h"
#include "send/job.h"
#include "send/log_buffer.h"
#include "send/pipe_out.h"
#include "send/sched.h"

#define LATER 123 /* seconds until what failed for want of memory or disk is tried again */

struct delivery {
  struct message *m; /* null: free */
  struct recipient *r;
  uint64_t number; /* as logged */
};

/* A spawner and the deliveries it runs. */
struct link {
  struct manager *manager;
  enum channel channel;
  struct pipe_out out;
  struct loop_io in;
  struct spawn_reader reader;
  struct delivery *slot;
  size_t slots; /* what the spawner said it can do; 0 until it did */
};

struct manager {
  const char *queue;
  struct conf conf;
  struct loop loop;
  struct sched sched;
  struct log_buffer log;
  struct link link[CHANNELS];
  struct pipe_out to_clean, to_todo;
  struct loop_io from_clean, from_todo, sig;
  struct job_reader jobs;
  struct loop_timer wake, retry;
  uint64_t next_delivery;
  struct message **removing; /* asked of qmail-clean, oldest first */
  size_t removing_n, removing_a;
  struct message **later; /* finished, but the disk would not have it */
  size_t later_n, later_a;
  int exitasap;
  struct strerr *e;
  int code;
};

static const char *const channel_name[CHANNELS] = {[CHANNEL_LOCAL] = "local", [CHANNEL_REMOTE] = "remote"};

#define MLOG(m, event, ...)                                                                   \
  log_buffer_add(&(m)->log, LOG_##event, (const struct log_arg[]){__VA_ARGS__},                \
                 sizeof((const struct log_arg[]){__VA_ARGS__}) / sizeof(struct log_arg))

static void die(struct manager *m, const char *what) {
  if (m->code == 0) {
    strerr_set(m->e, what, (char *)0);
    MLOG(m, alert, log_s(what));
  }
  m->code = -1;
  loop_stop(&m->loop);
}

static void lost_spawner(void *ctx) {
  die(ctx, "lost connection to a spawner, stopping");
}

static void lost_clean(void *ctx) {
  die(ctx, "lost connection to qmail-clean, stopping");
}

static void lost_todo(void *ctx) {
  die(ctx, "lost connection to todo-proc, stopping");
}

static int list_add(struct message ***list, size_t *n, size_t *a, struct message *msg) {
  if (*n == *a) {
    size_t more = *a ? *a * 2 : 16;
    struct message **l = reallocarray(*list, more, sizeof *l);

    if (!l) return 0;
    *list = l;
    *a = more;
  }
  (*list)[(*n)++] = msg;
  return 1;
}

/* --- logging --- */

static void log_status(struct manager *m) {
  const struct sched_channel *l = &m->sched.channel[CHANNEL_LOCAL];
  const struct sched_channel *r = &m->sched.channel[CHANNEL_REMOTE];

  MLOG(m, status, log_u(l->running), log_u(l->limit), log_s(l->held ? " (held)" : ""), log_u(r->running),
       log_u(r->limit), log_s(r->held ? " (held)" : ""), log_s(m->queue), log_s(m->exitasap ? " exitasap" : ""));
}

/* --- the end of a message --- */

static void start_deliveries(struct manager *m);
static int idle(const struct manager *m);

static void retry_later(void *ctx);

static void put_off(struct manager *m, struct message *msg, const char *why) {
  MLOG(m, warning, log_s(why));
  if (!list_add(&m->later, &m->later_n, &m->later_a, msg) ||
      loop_timer_set(&m->loop, &m->retry, deadline_in(LATER), retry_later, m) == -1)
    die(m, "out of memory");
}

static void ask_clean(struct manager *m, struct message *msg) {
  char below[QUEUE_PATH];
  size_t n = queuepath_below(below, msg->id);

  if (!list_add(&m->removing, &m->removing_n, &m->removing_a, msg) ||
      !stralloc_catlit(&m->to_clean.buf, "foop/") || !stralloc_catz(&m->to_clean.buf, below, n)) {
    die(m, "out of memory");
    return;
  }
  pipe_out_flush(&m->to_clean);
}

/* Every recipient is done: bounce if need be, then have it removed. */
static void finish(struct manager *m, struct message *msg) {
  struct strerr e;
  uint64_t qp = 0;

  if (msg->bouncing) log_buffer_flush(&m->log); /* what follows takes a while */
  switch (bounce_send(&m->conf, msg, &qp, &e)) {
    case BOUNCE_NOTHING: break;
    case BOUNCE_SENT: MLOG(m, bounce_msg, log_u(msg->id), log_u(qp), log_s(m->queue)); break;
    case BOUNCE_DISCARDED: MLOG(m, triple_bounce, log_u(msg->id), log_s(m->queue)); break;
    case BOUNCE_DROPPED: MLOG(m, bounce_dropped, log_u(msg->id), log_s(m->queue)); break;
    case BOUNCE_LATER: put_off(m, msg, e.text); return;
  }
  ask_clean(m, msg);
}

static void retry_later(void *ctx) {
  struct manager *m = ctx;
  size_t n = m->later_n;
  struct message **list = m->later;

  m->later = 0;
  m->later_n = m->later_a = 0;
  for (size_t i = 0; i < n; ++i) finish(m, list[i]);
  free(list);
}

static void removed(struct manager *m, struct message *msg) {
  char number[FMT_U64 + 1];

  if (queue_remove_marks(msg->id) == -1) MLOG(m, warning, log_s("unable to remove the marks of a finished message"));
  MLOG(m, end_msg, log_u(msg->id), log_s(m->queue));
  if (!stralloc_catm(&m->to_todo.buf, "F ", fmt_u64_z(number, msg->id), "\n", (char *)0)) die(m, "out of memory");
  else pipe_out_flush(&m->to_todo);
  message_free(msg);
}

static void on_clean(void *ctx, int fd, unsigned events) {
  struct manager *m = ctx;
  char buf[256];
  ssize_t n = read(fd, buf, sizeof buf);

  (void)events;
  if (n == -1 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0 || (size_t)n > m->removing_n) {
    lost_clean(m);
    return;
  }
  for (ssize_t i = 0; i < n; ++i) {
    struct message *msg = m->removing[i];

    if (buf[i] == '+') removed(m, msg);
    else put_off(m, msg, "qmail-clean could not remove a finished message");
  }
  m->removing_n -= (size_t)n;
  memmove(m->removing, m->removing + n, m->removing_n * sizeof *m->removing);
  log_buffer_flush(&m->log);
  if (m->exitasap && idle(m)) loop_stop(&m->loop);
}

/* --- deliveries --- */

static struct delivery *free_slot(struct link *l) {
  for (size_t i = 0; i < l->slots; ++i)
    if (!l->slot[i].m) return &l->slot[i];
  return 0;
}

/* VERP: a sender prefix-@host-@[] becomes prefix-rcptuser=rcpthost@host. */
static int verp_sender(const struct message *msg, const char *recipient, stralloc *out) {
  const stralloc *s = &msg->sender;
  const char *at = strrchr(recipient, '@');
  size_t host;

  if (s->len < 4 || memcmp(s->s + s->len - 4, "-@[]", 4) || !at) return stralloc_copy(out, s);
  for (host = s->len - 4; host && s->s[host - 1] != '@'; --host) {
  }
  if (host < 2 || s->s[host - 2] != '-') return stralloc_copy(out, s);
  return stralloc_copyb(out, s->s, host - 1) && stralloc_catb(out, recipient, (size_t)(at - recipient)) &&
         stralloc_append(out, '=') && stralloc_cats(out, at + 1) &&
         stralloc_catb(out, s->s + host - 1, s->len - 4 - (host - 1));
}

static void start(struct link *l, struct message *msg, struct recipient *r) {
  struct manager *m = l->manager;
  struct delivery *d = free_slot(l);
  struct spawn_command c = {.id = msg->id, .n = 1, .recipient = {r->address}};
  stralloc sender = STRALLOC_INIT;

  d->m = msg;
  d->r = r;
  d->number = ++m->next_delivery;
  MLOG(m, starting_delivery, log_u(d->number), log_u(msg->id), log_s(channel_name[l->channel]), log_s(r->address),
       log_s(m->queue));
  c.delivery = (uint16_t)(d - l->slot);
  c.extra = stralloc_cstr(&msg->extra);
  c.captured = stralloc_cstr(&msg->captured);
  if (!verp_sender(msg, r->address, &sender)) die(m, "out of memory");
  c.sender = stralloc_cstr(&sender);
  if (!spawn_command_format(&l->out.buf, &c)) die(m, "out of memory");
  stralloc_free(&sender);
}

static void on_wake(void *ctx) {
  start_deliveries(ctx);
}

/* Start all that may start, then sleep until the next message is due. */
static void start_deliveries(struct manager *m) {
  int64_t now = wall_now();
  int64_t due;
  int started = 0;

  for (int ch = 0; ch < CHANNELS && !m->exitasap; ++ch) {
    struct link *l = &m->link[ch];
    struct message *msg;
    struct recipient *r;

    if (!l->slots) continue;
    while (sched_take(&m->sched, l->channel, now, &msg, &r)) {
      start(l, msg, r);
      ++started;
    }
    if (l->out.buf.len) pipe_out_flush(&l->out);
  }
  if (started) log_status(m);
  log_buffer_flush(&m->log);
  due = sched_next_due(&m->sched);
  if (due != INT64_MAX && loop_timer_set(&m->loop, &m->wake, deadline_in(due > now ? due - now : 1), on_wake, m) == -1)
    die(m, "out of memory");
}

static int record_failure(struct manager *m, struct message *msg, const struct recipient *r, const char *text,
                          int too_old) {
  struct route_table t = {conf_line(&m->conf, SET_envnoathost), conf_lines(&m->conf, SET_locals),
                          conf_lines(&m->conf, SET_percenthack), conf_lines(&m->conf, SET_virtualdomains)};
  stralloc report = STRALLOC_INIT;
  stralloc p = STRALLOC_INIT;
  int ok;

  if (r->notify && !dsn_tell_failure(r->notify, strlen(r->notify))) return 1;
  ok = stralloc_copys(&report, text) &&
       (!too_old || stralloc_catlit(&report, "I have tried for too long: this message will not be tried again.\n")) &&
       bounce_paragraph(&p, route_original(&t, r->address), r->notify, stralloc_cstr(&report));
  ok = ok && queue_bounce_append(msg->id, p.s, p.len) == 0;
  stralloc_free(&report);
  stralloc_free(&p);
  if (ok) msg->bouncing = 1;
  return ok;
}

/* Is there anything on disk to mark?  A message with one recipient is simply removed. */
static int needs_mark(const struct message *msg, const struct recipient *r) {
  for (size_t i = 0; i < msg->recipients; ++i)
    if (&msg->recipient[i] != r && msg->recipient[i].state != RECIPIENT_DONE) return 1;
  return 0;
}

/* Judges a report: 1 the recipient is done, 0 it will be tried again. */
static int judge(struct manager *m, const struct delivery *d, const struct spawn_report *rep) {
  int last = sched_is_last(d->m, (enum channel)d->r->channel);
  const char *result = rep->result == 'K' ? "success" : rep->result == 'D' ? "failure" : "deferral";
  int done = rep->result == 'K' || rep->result == 'D' || last;

  MLOG(m, delivery, log_u(d->number), log_s(result), log_s(rep->text), log_s(m->queue));
  if (done && rep->result != 'K' && !record_failure(m, d->m, d->r, rep->text, rep->result != 'D')) {
    MLOG(m, warning, log_s("unable to write a bounce text, will try again"));
    done = 0;
  }
  if (done && needs_mark(d->m, d->r) && queue_mark_done(d->m->id, d->r->index) == -1)
    MLOG(m, warning, log_s("unable to mark a recipient done: it may be delivered twice"));
  if (!done && queue_touch_tried(d->m->id) == -1)
    MLOG(m, warning, log_s("unable to remember an attempt"));
  return done;
}

static void on_report(struct link *l, const struct spawn_report *rep) {
  struct manager *m = l->manager;
  struct delivery *d = rep->delivery < l->slots ? &l->slot[rep->delivery] : 0;
  struct message *msg;
  int done;

  if (!d || !d->m) {
    MLOG(m, warning, log_s("a spawner reported on a delivery that does not exist"));
    return;
  }
  msg = d->m;
  done = judge(m, d, rep);
  if (!done) msg->tried = wall_now();
  if (!sched_result(&m->sched, msg, d->r, done, wall_now())) die(m, "out of memory");
  d->m = 0;
  log_status(m);
  if (sched_finished(msg)) finish(m, msg);
}

static int idle(const struct manager *m) {
  return !m->sched.channel[CHANNEL_LOCAL].running && !m->sched.channel[CHANNEL_REMOTE].running && !m->removing_n;
}

/* The spawner's first two bytes: how many deliveries it can run. */
static void on_hello(struct link *l, const char *buf) {
  struct manager *m = l->manager;
  size_t n = (size_t)(unsigned char)buf[0] | (size_t)(unsigned char)buf[1] << 8;

  l->slot = calloc(n ? n : 1, sizeof *l->slot);
  if (!l->slot) die(m, "out of memory");
  l->slots = n;
  if (m->sched.channel[l->channel].limit > n) m->sched.channel[l->channel].limit = n;
}

static void on_spawner(void *ctx, int fd, unsigned events) {
  struct link *l = ctx;
  struct manager *m = l->manager;
  struct spawn_report rep;
  char buf[16384];
  ssize_t n = read(fd, buf, sizeof buf);
  ssize_t from = 0;
  int got;

  (void)events;
  if (n == -1 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0 || (!l->slots && n < 2)) {
    lost_spawner(m);
    return;
  }
  if (!l->slots) {
    on_hello(l, buf);
    from = 2;
  }
  if (!spawn_reader_add(&l->reader, buf + from, (size_t)(n - from))) {
    die(m, "out of memory");
    return;
  }
  while ((got = spawn_report_take(&l->reader, &rep)) == 1) on_report(l, &rep);
  if (got == -1) die(m, "a spawner talks nonsense, stopping");
  start_deliveries(m);
  if (m->exitasap && idle(m)) loop_stop(&m->loop);
}

/* --- new messages --- */

static void take_in(struct manager *m, struct message *msg) {
  if (!msg->tried) MLOG(m, new_msg, log_u(msg->id), log_s(m->queue));
  MLOG(m, info_msg, log_u(msg->id), log_u(msg->size), log_s(stralloc_cstr(&msg->sender)), log_u(msg->qp),
       log_u(msg->uid), log_s(m->queue));
  if (!sched_add(&m->sched, msg, wall_now())) die(m, "out of memory");
  else if (sched_finished(msg)) finish(m, msg);
}

static void on_todo(void *ctx, int fd, unsigned events) {
  struct manager *m = ctx;
  struct message *msg;
  const char *text;
  char buf[65536];
  ssize_t n = read(fd, buf, sizeof buf);

  (void)events;
  if (n == -1 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0) {
    lost_todo(m);
    return;
  }
  if (!job_reader_add(&m->jobs, buf, (size_t)n)) die(m, "out of memory");
  for (;;) {
    switch (job_take(&m->jobs, &msg, &text)) {
      case JOB_MORE: start_deliveries(m); return;
      case JOB_MESSAGE: take_in(m, msg); break;
      case JOB_LOG: MLOG(m, warning, log_s(text)); break;
      case JOB_BAD: die(m, "todo-proc talks nonsense, stopping"); return;
      case JOB_NOMEM: die(m, "out of memory"); return;
    }
  }
}

/* --- settings and signals --- */

static void apply_settings(struct manager *m) {
  static const enum setting limit[CHANNELS] = {SET_concurrencylocal, SET_concurrencyremote};
  static const enum setting held[CHANNELS] = {SET_holdlocal, SET_holdremote};

  m->sched.lifetime = (int64_t)conf_number(&m->conf, SET_queuelifetime);
  m->sched.bounce_lifetime = (int64_t)conf_number(&m->conf, SET_bouncelifetime);
  if (m->sched.bounce_lifetime > m->sched.lifetime) m->sched.bounce_lifetime = m->sched.lifetime;
  for (int ch = 0; ch < CHANNELS; ++ch) {
    size_t n = (size_t)conf_number(&m->conf, limit[ch]);

    if (m->link[ch].slots && n > m->link[ch].slots) n = m->link[ch].slots;
    m->sched.channel[ch].limit = n;
    m->sched.channel[ch].held = conf_flag(&m->conf, held[ch]);
  }
}

static void reread(struct manager *m) {
  struct conf fresh;
  struct strerr e;

  if (conf_load(&fresh, CONF_SEND, &e) == -1) {
    MLOG(m, alert, log_s(e.text));
    conf_free(&fresh);
    return;
  }
  conf_free(&m->conf);
  m->conf = fresh;
  apply_settings(m);
  log_status(m);
  if (stralloc_catlit(&m->to_todo.buf, "H\n")) pipe_out_flush(&m->to_todo);
}

static void on_signal(void *ctx, int fd, unsigned events) {
  struct manager *m = ctx;
  int sig;

  (void)events;
  while ((sig = sigfd_next(fd)) > 0) {
    if (sig == SIGTERM) m->exitasap = 1;
    if (sig == SIGHUP) reread(m);
    if (sig == SIGALRM) {
      sched_all_due(&m->sched, wall_now());
      if (stralloc_catlit(&m->to_todo.buf, "S\n")) pipe_out_flush(&m->to_todo);
    }
  }
  if (m->exitasap) log_status(m);
  start_deliveries(m);
  if (m->exitasap && idle(m)) loop_stop(&m->loop);
}

static int connect_all(struct manager *m) {
  static const int to[CHANNELS] = {MANAGER_TO_LOCAL, MANAGER_TO_REMOTE};
  static const int from[CHANNELS] = {MANAGER_FROM_LOCAL, MANAGER_FROM_REMOTE};
  int sigfd;

  for (int ch = 0; ch < CHANNELS; ++ch) {
    struct link *l = &m->link[ch];

    l->manager = m;
    l->channel = (enum channel)ch;
    if (pipe_out_init(&l->out, &m->loop, to[ch], lost_spawner, m) == -1) return -1;
    if (loop_io_add(&m->loop, &l->in, from[ch], LOOP_READ, on_spawner, l) == -1) return -1;
  }
  if (pipe_out_init(&m->to_clean, &m->loop, MANAGER_TO_CLEAN, lost_clean, m) == -1) return -1;
  if (pipe_out_init(&m->to_todo, &m->loop, MANAGER_TO_TODO, lost_todo, m) == -1) return -1;
  if (loop_io_add(&m->loop, &m->from_clean, MANAGER_FROM_CLEAN, LOOP_READ, on_clean, m) == -1) return -1;
  if (loop_io_add(&m->loop, &m->from_todo, MANAGER_FROM_TODO, LOOP_READ, on_todo, m) == -1) return -1;
  sigfd = sigfd_open(SIGTERM, SIGHUP, SIGALRM, 0);
  if (sigfd == -1) return -1;
  return loop_io_add(&m->loop, &m->sig, sigfd, LOOP_READ, on_signal, m);
}

int manager_run(const char *queue_name, struct strerr *e) {
  struct manager *m = calloc(1, sizeof *m);

  if (!m) return strerr_sys(e, "unable to start", (char *)0);
  m->queue = queue_name;
  m->e = e;
  sig_ignore_pipe();
  log_buffer_init(&m->log, MANAGER_LOG);
  if (conf_load(&m->conf, CONF_SEND, e) == -1) return -1;
  if (loop_init(&m->loop) == -1 || connect_all(m) == -1) return strerr_sys(e, "unable to watch descriptors", (char *)0);
  for (int fd = 0; fd <= MANAGER_FROM_TODO; ++fd) (void)!fd_cloexec(fd, 1); /* bounces run programs */
  apply_settings(m);
  (void)queue_sweep_marks(); /* of messages that were gone when we were killed */
  log_status(m);
  log_buffer_flush(&m->log);
  if (loop_run(&m->loop) == -1) return strerr_sys(e, "unable to wait for events", (char *)0);
  log_status(m);
  log_buffer_flush(&m->log);
  return m->code;
}
