/* manager: see manager.h.  Here: messages from their arrival to their end, settings and
 * signals; manager_delivery.c has the deliveries, manager_bounce.c the bounces. */
#include "send/manager.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fmt.h"
#include "base/sigfd.h"
#include "mail/dsn.h"
#include "queue/queuepath.h"
#include "queue/transition.h"
#include "send/manager_state.h"

#define AHEAD_MAX (INT64_C(10) * 366 * 86400) /* seconds a time of the sender's may lie ahead */
#define FORGET_WITHIN (100 * NS_PER_MS) /* todo-proc need not know at once what is over: it is in no directory any more */
#define LATER 123 /* seconds until what failed for want of memory or disk is tried again */

void manager_die(struct manager *m, const char *what) {
  if (m->code == 0) {
    strerr_set(m->e, what, (char *)0);
    MLOG(m, alert, log_s(what));
  }
  m->code = -1;
  loop_stop(&m->loop);
}

int64_t manager_now(const struct manager *m) {
  return clock_now(&m->clock, mono_now());
}

static void lost_clean(void *ctx) {
  manager_die(ctx, "lost connection to qmail-clean, stopping");
}

static void lost_todo(void *ctx) {
  manager_die(ctx, "lost connection to todo-proc, stopping");
}

void message_list_add(struct message_list *l, struct message *msg) {
  msg->next = 0;
  *(l->n++ ? l->end : &l->first) = msg;
  l->end = &msg->next;
}

struct message *message_list_take(struct message_list *l) {
  struct message *msg = l->first;

  l->first = msg->next;
  l->n--;
  return msg;
}

void manager_log_status(struct manager *m) {
  const struct sched_channel *l = &m->sched.channel[CHANNEL_LOCAL];
  const struct sched_channel *r = &m->sched.channel[CHANNEL_REMOTE];

  MLOG(m, status, log_u(l->running), log_u(l->limit), log_s(l->held ? " (held)" : ""), log_u(r->running),
       log_u(r->limit), log_s(r->held ? " (held)" : ""), log_s(m->queue), log_s(m->exitasap ? " exitasap" : ""));
}

/* --- the end of a message --- */

static void retry_later(void *ctx);

void manager_put_off(struct manager *m, struct message *msg, const char *why) {
  MLOG(m, warning, log_s(why));
  message_list_add(&m->later, msg);
  if (!m->retry.at.slot && loop_timer_set(&m->loop, &m->retry, deadline_in(LATER), retry_later, m) == -1)
    manager_die(m, "out of memory");
}

void manager_ask_clean(struct manager *m, struct message *msg) {
  char below[QUEUE_PATH];
  size_t n = queuepath_below(below, msg->id);

  msg->finishing = 1;
  message_list_add(&m->removing, msg);
  if (!stralloc_catlit(&m->to_clean.buf, "foop/") || !stralloc_catz(&m->to_clean.buf, below, n))
    manager_die(m, "out of memory");
  else pipe_out_within(&m->to_clean, 0);
}

void manager_sync_marks(struct manager *m) {
  if (m->unsynced && queue_sync_marks(m->unsynced) == -1)
    MLOG(m, warning, log_s("unable to sync the mark of a recipient: it may be delivered twice"));
  m->unsynced = 0;
}

static void finish_again(struct manager *m, struct message *msg) {
  if (msg->held & HELD_FOR_REMOVAL) manager_ask_clean(m, msg);
  else manager_finish(m, msg);
}

static void retry_later(void *ctx) {
  struct manager *m = ctx;

  for (size_t n = m->later.n; n; --n) finish_again(m, message_list_take(&m->later));
}

static void removed(struct manager *m, struct message *msg) {
  char number[FMT_U64 + 1], messid[MESSID_SIZE];

  if (msg->held & HELD_FOR_REMOVAL && msg->marks && queue_bounce_remove(msg->id) == -1)
    MLOG(m, warning, log_s("unable to remove the bounce text of a message removed by order"));
  if (msg->marks && queue_remove_marks(msg->id) == -1) MLOG(m, warning, log_s("unable to remove the marks of a finished message"));
  MLOG(m, end_msg, log_u(msg->id), log_s(m->queue), log_s(message_messid(msg, messid)));
  if (!stralloc_catm(&m->to_todo.buf, "F ", fmt_u64_z(number, msg->id), "\n", (char *)0)) manager_die(m, "out of memory");
  else pipe_out_within(&m->to_todo, FORGET_WITHIN);
  manager_unregister(m, msg);
  message_free(msg);
}

/* The last ones of a message are not marked, since it is removed: where that fails they are, or a restart would
 * deliver to them again. */
static void remember_done(struct manager *m, struct message *msg) {
  int ok = 1;

  if (msg->left) return; /* removed by order */
  msg->marks = 1;
  for (uint32_t i = 0; ok && i < msg->recipients; ++i) ok = queue_mark_done(msg->id, &msg->recipient[i].index, 1) == 0;
  if (!ok || queue_sync_marks(msg->id) == -1)
    MLOG(m, warning, log_s("unable to mark recipients done: they may be delivered twice"));
}

static void on_clean(void *ctx, int fd, unsigned events) {
  struct manager *m = ctx;
  char buf[256];
  ssize_t n = read(fd, buf, sizeof buf);

  (void)events;
  if (n == -1 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0 || (size_t)n > m->removing.n) {
    lost_clean(m);
    return;
  }
  for (ssize_t i = 0; i < n; ++i) {
    struct message *msg = message_list_take(&m->removing);

    if (buf[i] == '+') {
      removed(m, msg);
    } else {
      remember_done(m, msg);
      manager_put_off(m, msg, "qmail-clean could not remove a finished message");
    }
  }
  log_buffer_flush(&m->log);
  manager_end_if_idle(m);
}

/* --- new messages --- */

/* A time of the wall clock that may lie ahead, on the scheduler's. */
static int64_t ahead(struct manager *m, uint64_t when, int64_t wall, deadline mono) {
  uint64_t last = (uint64_t)wall + AHEAD_MAX;

  return clock_now(&m->clock, mono) + (int64_t)(when < last ? when : last) - wall;
}

/* When its sender wants it let go, and delivered, and how urgent it is.  Its age counts from when it may be
 * tried. */
static void take_wishes(struct manager *m, struct message *msg, int64_t wall, deadline mono) {
  struct dsn_mail d;

  if (!msg->dsn || !dsn_mail_parse(message_dsn(msg), strlen(message_dsn(msg)), &d)) return;
  if (d.hold_until) msg->not_before = ahead(m, d.hold_until, wall, mono);
  if (msg->not_before > msg->birth) msg->birth = msg->not_before;
  if (d.by_mode != DSN_BY_NONE) msg->by = ahead(m, d.by, wall, mono);
  msg->by_return = d.by_mode == DSN_BY_RETURN;
  msg->by_trace = d.by_trace != 0;
  msg->priority = (int8_t)d.priority;
}

static void take_in(struct manager *m, struct message *msg, const struct job_head *h) {
  int64_t wall = wall_now();
  deadline mono = mono_now();
  char messid[MESSID_SIZE];
  int64_t tried = h->tried ? clock_past(&m->clock, (int64_t)h->tried, wall, mono) : 0;

  msg->marks = h->marks != 0;
  manager_recall_delay(m, msg, msg->birth, (int64_t)h->tried);
  msg->birth = clock_past(&m->clock, msg->birth, wall, mono);
  take_wishes(m, msg, wall, mono);
  if (!h->tried) { /* of the others the log has said it before: a long queue would flood it */
    MLOG(m, new_msg, log_u(msg->id), log_s(m->queue));
    MLOG(m, info_msg, log_u(msg->id), log_u(h->size), log_s(message_sender(msg)), log_u(h->qp), log_u(h->uid),
         log_s(m->queue), log_s(message_messid(msg, messid)));
  }
  if (!manager_register(m, msg) || !sched_add(&m->sched, msg, tried, clock_now(&m->clock, mono))) manager_die(m, "out of memory");
  else if (sched_finished(msg)) manager_finish(m, msg);
}

static void on_todo(void *ctx, int fd, unsigned events) {
  struct manager *m = ctx;
  struct job_head head;
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
  if (!job_reader_add(&m->jobs, buf, (size_t)n)) manager_die(m, "out of memory");
  while (m->code == 0) {
    switch (job_take(&m->jobs, &head, &msg, &text)) {
      case JOB_MORE: delivery_start_all(m); return;
      case JOB_MESSAGE: take_in(m, msg, &head); break;
      case JOB_WARNING: MLOG(m, warning, log_s(text)); break;
      case JOB_INFO: MLOG(m, info, log_s(text)); break;
      case JOB_BAD: manager_die(m, "todo-proc talks nonsense, stopping"); return;
      case JOB_NOMEM: manager_die(m, "out of memory"); return;
    }
  }
}

/* --- settings and signals --- */

static int bad_value(const struct conf *conf, enum setting s, const char *want, struct strerr *e) {
  const struct conf_value *v = &conf->v[s];

  strerr_set(e, stralloc_cstr(&v->where), v->origin == CONF_FROM_FILE ? ":1: " : ": ", want, (char *)0);
  e->permanent = 1;
  return -1;
}

/* Values that are numbers, but not such as we can work with. */
static int check_settings(const struct conf *conf, struct retry *retry, struct strerr *e) {
  static const struct {
    enum setting setting;
    uint64_t min, max;
    const char *want;
  } ranges[] = {
      {SET_concurrencyhost, 0, 65535, "a number up to 65535 is wanted"},
      {SET_remoterecipients, 1, SPAWN_RECIPIENTS_MAX, "a number from 1 to 500 is wanted"},
      {SET_todointerval, 0, INT32_MAX, "fewer seconds are wanted"},
      {SET_bounceprocessortime, 1, INT32_MAX, "a number from 1 to 2147483647 is wanted"},
  };

  for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; ++i) {
    uint64_t n = conf_number(conf, ranges[i].setting);

    if (n < ranges[i].min || n > ranges[i].max) return bad_value(conf, ranges[i].setting, ranges[i].want, e);
  }
  if (!retry_parse(retry, conf_line(conf, SET_retryschedule)))
    return bad_value(conf, SET_retryschedule, "seconds are wanted, up to 100 numbers from 1 to 2592000 on one line", e);
  return 0;
}

/* Null with e filled when they are no good. */
static struct conf *load_settings(struct retry *retry, struct strerr *e) {
  struct conf *conf = calloc(1, sizeof *conf);

  if (!conf) strerr_sys(e, "unable to load the settings", (char *)0);
  else if (conf_load(conf, CONF_SEND, e) == 0 && check_settings(conf, retry, e) == 0) return conf;
  if (conf) conf_free(conf);
  free(conf);
  return 0;
}

void manager_release_conf(struct manager *m, struct conf *conf) {
  if (conf == m->conf || bounces_use(m, conf)) return;
  conf_free(conf);
  free(conf);
}

static void apply_settings(struct manager *m, const struct retry *retry) {
  static const enum setting held[CHANNELS] = {SET_holdlocal, SET_holdremote};

  m->sched.retry = *retry;
  m->sched.host_max = (uint32_t)conf_number(m->conf, SET_concurrencyhost);
  m->sched.batch_max = (uint32_t)conf_number(m->conf, SET_remoterecipients);
  for (int ch = 0; ch < CHANNELS; ++ch) m->sched.channel[ch].held = conf_flag(m->conf, held[ch]);
  delivery_set_limits(m);
  sched_limits_changed(&m->sched);
  sched_set_lifetimes(&m->sched, (int64_t)conf_number(m->conf, SET_queuelifetime),
                      (int64_t)conf_number(m->conf, SET_bouncelifetime));
}

static void order_todo(struct manager *m, const char *line) {
  if (!stralloc_cats(&m->to_todo.buf, line)) manager_die(m, "out of memory");
  else pipe_out_flush(&m->to_todo);
}

static void reread(struct manager *m) {
  struct conf *old = m->conf;
  struct retry retry;
  struct strerr e;
  struct conf *fresh = load_settings(&retry, &e);

  if (!fresh) {
    MLOG(m, alert, log_s(e.text));
    return;
  }
  m->conf = fresh;
  manager_release_conf(m, old);
  apply_settings(m, &retry);
  manager_log_status(m);
  order_todo(m, "H\n");
}

void manager_everything_now(struct manager *m) {
  sched_all_due(&m->sched, manager_now(m));
  order_todo(m, "S\n");
}

static void detach(struct manager *m) {
  MLOG(m, info, log_s("detached: new messages stay in the queue until USR2"));
  order_todo(m, "D\n");
}

static void attach(struct manager *m) {
  MLOG(m, info, log_s("attached"));
  order_todo(m, "A\n");
}

static void end_soon(struct manager *m) {
  m->exitasap = 1;
  manager_log_status(m);
}

static const struct {
  int sig;
  void (*act)(struct manager *m);
} signals[] = {
    {SIGTERM, end_soon}, {SIGHUP, reread}, {SIGALRM, manager_everything_now}, {SIGUSR1, detach}, {SIGUSR2, attach},
};

static void on_signal(void *ctx, int fd, unsigned events) {
  struct manager *m = ctx;
  int sig;

  (void)events;
  while ((sig = sigfd_next(fd)) > 0)
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; ++i)
      if (signals[i].sig == sig) signals[i].act(m);
  delivery_start_all(m);
  manager_end_if_idle(m);
}

/* After TERM, when nothing is under way any more. */
void manager_end_if_idle(struct manager *m) {
  if (m->exitasap && !m->sched.channel[CHANNEL_LOCAL].running && !m->sched.channel[CHANNEL_REMOTE].running &&
      !m->bouncing && !m->removing.n)
    loop_stop(&m->loop);
}

static int connect_all(struct manager *m) {
  int sigfd;

  if (delivery_connect(m, CHANNEL_LOCAL, MANAGER_TO_LOCAL, MANAGER_FROM_LOCAL) == -1) return -1;
  if (delivery_connect(m, CHANNEL_REMOTE, MANAGER_TO_REMOTE, MANAGER_FROM_REMOTE) == -1) return -1;
  if (pipe_out_init(&m->to_clean, &m->loop, MANAGER_TO_CLEAN, lost_clean, m) == -1) return -1;
  if (pipe_out_init(&m->to_todo, &m->loop, MANAGER_TO_TODO, lost_todo, m) == -1) return -1;
  if (loop_io_add(&m->loop, &m->from_clean, MANAGER_FROM_CLEAN, LOOP_READ, on_clean, m) == -1) return -1;
  if (loop_io_add(&m->loop, &m->from_todo, MANAGER_FROM_TODO, LOOP_READ, on_todo, m) == -1) return -1;
  sigfd = sigfd_open(SIGTERM, SIGHUP, SIGALRM, SIGUSR1, SIGUSR2, 0);
  if (sigfd == -1) return -1;
  return loop_io_add(&m->loop, &m->sig, sigfd, LOOP_READ, on_signal, m);
}

/* For the order of what has no order; a guess of the time will do where there is none. */
static uint64_t seed(void) {
  uint64_t u;

  return getrandom(&u, sizeof u, GRND_NONBLOCK) == (ssize_t)sizeof u ? u : (uint64_t)wall_now_us();
}

int manager_run(const char *queue_name, const char *rates, struct strerr *e) {
  struct manager *m = calloc(1, sizeof *m);
  struct retry retry;

  if (!m) return strerr_sys(e, "unable to start", (char *)0);
  m->queue = queue_name;
  m->e = e;
  sig_ignore_pipe();
  log_buffer_init(&m->log, MANAGER_LOG, "");
  clock_start(&m->clock, wall_now(), mono_now());
  sched_init(&m->sched, seed());
  m->conf = load_settings(&retry, e);
  if (!m->conf || manager_rate_start(m, rates, e) == -1) return -1;
  if (loop_init(&m->loop) == -1 || connect_all(m) == -1) return strerr_sys(e, "unable to watch descriptors", (char *)0);
  for (int fd = 0; fd <= MANAGER_FROM_TODO; ++fd) (void)!fd_cloexec(fd, 1); /* bounces run programs */
  apply_settings(m, &retry);
  (void)queue_sweep_marks(); /* of messages that were gone when we were killed */
  if (manager_control_start(m) == -1) return strerr_sys(e, "unable to start", (char *)0);
  manager_log_status(m);
  log_buffer_flush(&m->log);
  if (loop_run(&m->loop) == -1) return strerr_sys(e, "unable to wait for events", (char *)0);
  control_close(&m->control);
  manager_log_status(m);
  log_buffer_flush(&m->log);
  return m->code;
}
