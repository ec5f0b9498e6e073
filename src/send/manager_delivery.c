/* manager_delivery: orders to the spawners, and what becomes of them.  See manager_state.h.
 *
 * The reports of one transaction come together; their results are written together, before
 * the scheduler hears of them: failures in bounce/ID, then all marks.  A delivery number
 * is looked up in the slots there are; what fits none is refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"
#include "mail/dsn.h"
#include "queue/transition.h"
#include "send/manager_state.h"

static const char *const channel_name[CHANNELS] = {[CHANNEL_LOCAL] = "local", [CHANNEL_REMOTE] = "remote"};
static const char *const spawner_name[CHANNELS] = {[CHANNEL_LOCAL] = "qmail-lspawn", [CHANNEL_REMOTE] = "qmail-rspawn"};

/* --- starting --- */

/* VERP: a sender prefix-@host-@[] becomes prefix-rcptuser=rcpthost@host. */
static int verp_sender(const struct message *msg, const char *recipient, stralloc *out) {
  const char *s = message_sender(msg);
  const char *at = strrchr(recipient, '@');
  size_t n = strlen(s);
  size_t host;

  if (!msg->verp || !at) return stralloc_copys(out, s);
  for (host = n - 4; host && s[host - 1] != '@'; --host) {
  }
  if (host < 2 || s[host - 2] != '-') return stralloc_copys(out, s);
  return stralloc_copyb(out, s, host - 1) && stralloc_catb(out, recipient, (size_t)(at - recipient)) &&
         stralloc_append(out, '=') && stralloc_cats(out, at + 1) && stralloc_catb(out, s + host - 1, n - 4 - (host - 1));
}

/* The command: 1, or 0 when memory ran out. */
static int write_command(struct link *l, const struct delivery *d) {
  const struct message *msg = d->batch.m;
  struct spawn_command c = {.id = msg->id, .n = d->batch.n};
  char messid[MESSID_SIZE];
  stralloc sender = STRALLOC_INIT;
  int ok;

  for (uint32_t i = 0; i < d->batch.n; ++i) {
    const struct recipient *r = &msg->recipient[d->batch.first + i];

    c.recipient[i] = message_address(msg, r);
    c.notify[i] = message_notify(msg, r);
  }
  c.delivery = (uint16_t)(d - l->slot);
  c.extra = msg->text + msg->extra;
  c.captured = msg->text + msg->captured;
  c.dsn = message_dsn(msg);
  c.messid = message_messid(msg, messid);
  ok = verp_sender(msg, c.recipient[0], &sender);
  c.sender = stralloc_cstr(&sender);
  ok = ok && spawn_command_format(&l->out.buf, &c);
  stralloc_free(&sender);
  return ok;
}

static void fail_late(struct link *l, struct delivery *d);

static void start(struct link *l, const struct batch *b) {
  struct manager *m = l->manager;
  struct delivery *d = l->free;
  char messid[MESSID_SIZE];

  l->free = d->next_free;
  d->batch = *b;
  d->number = m->next_delivery + 1;
  d->reported = 0;
  d->feedback = FEEDBACK_NOTHING;
  stralloc_cut(&d->outcome, 0);
  stralloc_cut(&d->failures, 0);
  for (uint32_t i = 0; i < b->n; ++i) {
    const char *address = message_address(b->m, &b->m->recipient[b->first + i]);

    MLOG(m, starting_delivery, log_u(++m->next_delivery), log_u(b->m->id), log_s(channel_name[l->channel]),
         log_s(address), log_s(m->queue), log_s(message_messid(b->m, messid)));
  }
  if (b->m->by_return && manager_now(m) >= b->m->by) fail_late(l, d);
  else if (!write_command(l, d)) manager_die(m, "out of memory");
}

static void on_wake(void *ctx) {
  delivery_start_all(ctx);
}

void delivery_start_all(struct manager *m) {
  int64_t now = manager_now(m);
  int64_t due;
  int started = 0;

  for (int ch = 0; ch < CHANNELS && !m->exitasap; ++ch) {
    struct link *l = &m->link[ch];
    struct batch b;

    while (l->free && sched_take(&m->sched, l->channel, now, &b)) {
      start(l, &b);
      ++started;
    }
    if (l->out.buf.len) pipe_out_flush(&l->out);
  }
  if (started) manager_log_status(m);
  log_buffer_flush(&m->log);
  due = sched_next_due(&m->sched);
  if (due != INT64_MAX &&
      loop_timer_set(&m->loop, &m->wake, deadline_in(due > now ? due - now : 1), on_wake, m) == -1)
    manager_die(m, "out of memory");
}

/* --- results --- */

static int add_failure(struct delivery *d, struct manager *m, const struct recipient *r, const char *text, int too_old) {
  stralloc report = STRALLOC_INIT;
  int ok = stralloc_copys(&report, text) &&
           (!too_old || stralloc_catlit(&report, "I have tried for too long: this message will not be tried again.\n")) &&
           manager_paragraph(m, &d->failures, BOUNCE_FAILED, d->batch.m, r, stralloc_cstr(&report));

  stralloc_free(&report);
  return ok;
}

/* The report on one recipient. */
static void judge(struct manager *m, struct delivery *d, const struct spawn_report *rep) {
  struct message *msg = d->batch.m;
  struct recipient *r = &msg->recipient[d->batch.first + d->reported];
  const char *result = rep->result == 'K' ? "success" : rep->result == 'D' ? "failure" : "deferral";
  char outcome = rep->result == 'K'                             ? OUTCOME_DONE
                 : rep->result == 'D' || sched_is_last(&d->batch) ? OUTCOME_FAILED
                                                                : OUTCOME_DEFERRED;
  enum feedback f = feedback_of(rep->result, rep->text);
  char messid[MESSID_SIZE];

  MLOG(m, delivery, log_u(d->number + d->reported), log_s(result), log_s(rep->text), log_s(m->queue),
       log_s(message_messid(msg, messid)));
  if (f > d->feedback) d->feedback = f;
  if (outcome == OUTCOME_FAILED && dsn_tell_failure(message_notify(msg, r), strlen(message_notify(msg, r))) &&
      !add_failure(d, m, r, rep->text, rep->result != 'D')) {
    MLOG(m, warning, log_s("no memory for a bounce text, will try again"));
    outcome = OUTCOME_DEFERRED;
  }
  if (outcome == OUTCOME_DONE) manager_note_success(m, d, r, rep->text);
  if (outcome == OUTCOME_DEFERRED) manager_note_delay(m, d, r, rep->text);
  if (!stralloc_append(&d->outcome, outcome)) manager_die(m, "out of memory");
  d->reported++;
}

/* Failures go to disk before anybody is marked done because of them. */
static void record_failures(struct manager *m, struct delivery *d) {
  struct message *msg = d->batch.m;

  if (!d->failures.len) return;
  msg->marks = 1;
  if (queue_bounce_append(msg->id, d->failures.s, d->failures.len) == 0) {
    msg->bouncing = 1;
    return;
  }
  MLOG(m, warning, log_s("unable to write a bounce text, will try again"));
  for (size_t i = 0; i < d->outcome.len; ++i)
    if (d->outcome.s[i] == OUTCOME_FAILED) d->outcome.s[i] = OUTCOME_DEFERRED;
}

/* A message whose last recipients are done is simply removed, unless its bounce may take
 * a while. */
static void record_marks(struct manager *m, struct delivery *d) {
  struct message *msg = d->batch.m;
  uint32_t index[SPAWN_RECIPIENTS_MAX];
  size_t n = 0;

  for (size_t i = 0; i < d->outcome.len; ++i)
    if (d->outcome.s[i] != OUTCOME_DEFERRED) index[n++] = msg->recipient[d->batch.first + i].index;
  if (n == msg->left && !msg->bouncing) return;
  if (n && m->unsynced != msg->id) {
    manager_sync_marks(m);
    m->unsynced = msg->id;
  }
  msg->marks = 1;
  if (queue_mark_done(msg->id, index, n) == -1)
    MLOG(m, warning,
         log_s(n ? "unable to mark recipients done: they may be delivered twice" : "unable to remember an attempt"));
}

static void batch_over(struct link *l, struct delivery *d) {
  struct manager *m = l->manager;
  struct message *msg = d->batch.m;
  const struct destination *to = d->batch.bundle->d;
  int64_t held;

  record_failures(m, d);
  if (d->successes.len || d->delays.len) manager_send_notices(m, d);
  record_marks(m, d);
  held = sched_result(&m->sched, &d->batch, d->outcome.s, d->feedback, manager_now(m));
  if (held)
    MLOG(m, unreachable, log_s(to->name), log_u((uint64_t)held), log_u(to->bundles), log_s(m->queue));
  d->batch.m = 0;
  d->next_free = l->free;
  l->free = d;
  if (d->failures.a > 65536) stralloc_free(&d->failures);
  manager_log_status(m);
  if (msg->held & HELD_FOR_REMOVAL) {
    if (!sched_running(msg)) manager_discard(m, msg);
  } else if (sched_finished(msg)) manager_finish(m, msg);
}

/* Its sender wants it back rather than delivered now (RFC 2852). */
static void fail_late(struct link *l, struct delivery *d) {
  const struct spawn_report rep = {(uint16_t)(d - l->slot), 'D', "It could not be delivered by the time its sender set. (#5.4.7)\n"};

  for (uint32_t i = 0; i < d->batch.n; ++i) judge(l->manager, d, &rep);
  d->feedback = FEEDBACK_NOTHING; /* nobody was asked */
  if (l->manager->code == 0) batch_over(l, d);
}

static void complain(struct link *l, unsigned delivery) {
  char number[FMT_U64 + 1];
  stralloc text = STRALLOC_INIT;

  if (l->complained++) return;
  if (stralloc_catm(&text, spawner_name[l->channel], " reported on delivery slot ", fmt_u64_z(number, delivery),
                    ", where there is none; ignored, and not said again", (char *)0))
    MLOG(l->manager, warning, log_s(text.s));
  stralloc_free(&text);
}

static void on_report(struct link *l, const struct spawn_report *rep) {
  struct delivery *d = rep->delivery < l->slots ? &l->slot[rep->delivery] : 0;

  if (!d || !d->batch.m) {
    complain(l, rep->delivery);
    return;
  }
  judge(l->manager, d, rep);
  if (d->reported == d->batch.n && l->manager->code == 0) batch_over(l, d);
}

/* --- spawners --- */

void delivery_set_limits(struct manager *m) {
  static const enum setting limit[CHANNELS] = {SET_concurrencyl, SET_concurrencyr};

  for (int ch = 0; ch < CHANNELS; ++ch) {
    const struct link *l = &m->link[ch];
    size_t n = (size_t)conf_number(m->conf, limit[ch]);

    m->sched.channel[ch].limit = l->hello_n == 2 && n > l->slots ? l->slots : n;
  }
}

/* The spawner's first two bytes: how many deliveries it can run.  Gives how many bytes of
 * buf belong to them. */
static size_t on_hello(struct link *l, const char *buf, size_t n) {
  size_t used = 0;

  while (l->hello_n < 2 && used < n) l->hello[l->hello_n++] = (unsigned char)buf[used++];
  if (l->hello_n < 2) return used;
  l->slots = (size_t)l->hello[0] | (size_t)l->hello[1] << 8;
  l->slot = calloc(l->slots + 1, sizeof *l->slot);
  if (!l->slot) manager_die(l->manager, "out of memory");
  if (!l->slots) MLOG(l->manager, alert, log_s("a spawner says that it can run no delivery at all"));
  for (size_t i = l->slot ? l->slots : 0; i-- > 0;) {
    l->slot[i].next_free = l->free;
    l->free = &l->slot[i];
  }
  delivery_set_limits(l->manager);
  return used;
}

static void lost_spawner(void *ctx) {
  manager_die(ctx, "lost connection to a spawner, stopping");
}

static void on_spawner(void *ctx, int fd, unsigned events) {
  struct link *l = ctx;
  struct manager *m = l->manager;
  struct spawn_report rep;
  char buf[16384];
  ssize_t n = read(fd, buf, sizeof buf);
  size_t from = 0;

  (void)events;
  if (n == -1 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0) {
    lost_spawner(m);
    return;
  }
  if (l->hello_n < 2) from = on_hello(l, buf, (size_t)n);
  if (!spawn_reader_add(&l->reader, buf + from, (size_t)n - from)) {
    manager_die(m, "out of memory");
    return;
  }
  while (m->code == 0 && spawn_report_take(&l->reader, &rep) == 1) on_report(l, &rep);
  manager_sync_marks(m);
  delivery_start_all(m);
  manager_end_if_idle(m);
}

int delivery_connect(struct manager *m, enum channel channel, int to, int from) {
  struct link *l = &m->link[channel];

  l->manager = m;
  l->channel = channel;
  if (pipe_out_init(&l->out, &m->loop, to, lost_spawner, m) == -1) return -1;
  return loop_io_add(&m->loop, &l->in, from, LOOP_READ, on_spawner, l);
}
