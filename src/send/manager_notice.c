/* manager_notice: notices of success and of delay, for senders who asked (RFC 3461).  See
 * manager_state.h.
 *
 * They go out as soon as the reports of a transaction are there, for other recipients may
 * take days.  A notice of success is sent before the recipient is marked done: after a crash it may come twice.
 * Where none can be queued now its text goes to bounce/ID and so out with the message's end; a
 * notice of delay is tried again with the delivery. */
#include <string.h>

#include "mail/dsn.h"
#include "queue/transition.h"
#include "send/bounce.h"
#include "send/manager_state.h"
#include "send/notice.h"

int manager_paragraph(struct manager *m, stralloc *out, enum bounce_action action, const struct message *msg,
                      const struct recipient *r, const char *report) {
  struct route_table t = {conf_line(m->conf, SET_envnoathost), conf_lines(m->conf, SET_locals),
                          conf_lines(m->conf, SET_percenthack), conf_lines(m->conf, SET_virtualdomains)};
  size_t was = out->len;
  const char *notify = message_notify(msg, r);

  if (bounce_paragraph(out, action, route_original(&t, message_address(msg, r)), *notify ? notify : 0, report)) return 1;
  stralloc_cut(out, was);
  return 0;
}

static int tells_delay(struct manager *m, const struct message *msg, const struct recipient *r) {
  int64_t now = manager_now(m);

  return notice_by(msg, r, now) ||
         (notice_wanted(msg, r, DSN_DELAY) && notice_is_late(msg->birth, now, conf_number(m->conf, SET_delaynotice)));
}

static void note(struct manager *m, struct delivery *d, stralloc *out, enum bounce_action action, const struct recipient *r,
                 const char *report) {
  if (!manager_paragraph(m, out, action, d->batch.m, r, report)) MLOG(m, warning, log_s("no memory for a notice to the sender"));
}

void manager_note_success(struct manager *m, struct delivery *d, const struct recipient *r, const char *report) {
  enum bounce_action action;
  int ours = notice_success((enum channel)r->channel, report, &action); /* not the next server's to tell */

  if ((ours && notice_wanted(d->batch.m, r, DSN_SUCCESS)) || notice_traced(d->batch.m, r))
    note(m, d, &d->successes, action, r, report);
}

void manager_note_delay(struct manager *m, struct delivery *d, struct recipient *r, const char *report) {
  if (!r->told && tells_delay(m, d->batch.m, r)) note(m, d, &d->delays, BOUNCE_DELAYED, r, report);
}

/* 1 when it is queued, or there was nothing to say. */
static int send_kind(struct manager *m, const struct message *msg, enum bounce_kind kind, const char *name, const stralloc *text) {
  char messid[MESSID_SIZE];
  struct strerr e;
  uint64_t qp = 0;

  if (!text->len) return 1;
  log_buffer_flush(&m->log); /* what follows takes a while */
  if (bounce_notice(m->conf, msg, kind, text, &qp, &e) == -1) {
    MLOG(m, warning, log_s(e.text));
    return 0;
  }
  MLOG(m, notice_msg, log_u(msg->id), log_u(qp), log_s(name), log_s(m->queue), log_s(message_messid(msg, messid)));
  return 1;
}

static void keep_for_later(struct manager *m, struct message *msg, const stralloc *text) {
  msg->marks = 1;
  if (queue_bounce_append(msg->id, text->s, text->len) == 0) msg->bouncing = 1;
  else MLOG(m, warning, log_s("unable to keep a notice of success for later, giving it up"));
}

static void remember_told(struct manager *m, struct delivery *d) {
  struct message *msg = d->batch.m;

  for (size_t i = 0; i < d->outcome.len; ++i) {
    struct recipient *r = &msg->recipient[d->batch.first + i];

    if (d->outcome.s[i] == OUTCOME_DEFERRED && tells_delay(m, msg, r)) r->told = 1;
  }
}

void manager_send_notices(struct manager *m, struct delivery *d) {
  struct message *msg = d->batch.m;

  if (!send_kind(m, msg, BOUNCE_OF_SUCCESS, "success", &d->successes)) keep_for_later(m, msg, &d->successes);
  if (d->delays.len && send_kind(m, msg, BOUNCE_OF_DELAY, "delay", &d->delays)) remember_told(m, d);
  stralloc_free(&d->successes);
  stralloc_free(&d->delays);
}

void manager_recall_delay(struct manager *m, struct message *msg, int64_t birth, int64_t tried) {
  struct dsn_mail d;
  int by = *message_dsn(msg) && dsn_mail_parse(message_dsn(msg), strlen(message_dsn(msg)), &d) && d.by_mode == DSN_BY_NOTIFY &&
           tried >= (int64_t)d.by;

  if (!tried || (!by && !notice_is_late(birth, tried, conf_number(m->conf, SET_delaynotice)))) return;
  for (uint32_t i = 0; i < msg->recipients; ++i) msg->recipient[i].told = 1;
}
