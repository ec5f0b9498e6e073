/* verb_data: DATA (RFC 5321 4.1.1.4).  The message streams through data_reader into
 * the queue program; the last checks judge it before the envelope makes it count. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "mail/received.h"
#include "queue/domainqueue.h"
#include "queue/qqclient.h"
#include "smtp/policy.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"

#define BLOCK 16384 /* bytes that must come within one timeout */
#define PREFIX "qmail-smtpd: "

struct intake {
  struct session *s;
  struct qqclient q;
  int queued; /* the queue program runs */
  uint64_t limit;
};

static const char *or_dash(const char *s) {
  return *s ? s : "-";
}

static const char *protocol(const struct connection *c) {
  static const char *const names[2][2][2] = {{{"SMTP", "SMTPA"}, {"SMTPS", "SMTPSA"}},
                                             {{"ESMTP", "ESMTPA"}, {"ESMTPS", "ESMTPSA"}}};

  return names[!!c->extended][!!c->tls][!!c->authenticated];
}

/* What the queue program and those after it are told about who sent this. */
static int environment(const struct session *s, struct env *env) {
  const struct connection *c = &s->c;

  if (!env_copy(env, s->env)) return 0;
  if (!c->authenticated) return 1;
  return env_set(env, "TCPREMOTEINFO", c->user.s) && env_set(env, "AUTHINFO", c->user.s) &&
         (!c->auth_may_relay || env_set(env, "RELAYCLIENT", c->relay ? c->relay : ""));
}

/* What control/domainqueue says of the recipients: of those it knows the last decides.  0 or -1. */
static int choose_queue(const struct session *s, struct env *env, struct strerr *e) {
  const struct strlist *rules = conf_lines(s->conf, SET_domainqueue);
  const stralloc *to = &s->t.recipients;
  const char *what = 0;

  if (!rules->len || env_lookup(env, "QUEUEDIR")) return 0;
  for (size_t i = 0; i < to->len; i += strlen(to->s + i) + 1) {
    const char *found = domainqueue_find(rules, to->s + i, strlen(to->s + i));

    if (found) what = found;
  }
  switch (what ? domainqueue_apply(what, env) : DOMAINQUEUE_OK) {
    case DOMAINQUEUE_OK: return 0;
    case DOMAINQUEUE_BAD: return strerr_set(e, "control/domainqueue: no assignments of a queue: ", what, (char *)0);
    case DOMAINQUEUE_NOMEM: break;
  }
  errno = ENOMEM;
  return strerr_sys(e, "unable to queue", (char *)0);
}

static int trace_field(const struct session *s, stralloc *out) {
  const struct connection *c = &s->c;
  const struct received r = {
      .remote_host = c->host,
      .remote_ip = c->ip,
      .remote_info = c->authenticated ? c->user.s : c->info,
      .helo = stralloc_cstr(&c->helo),
      .local = *c->local_host ? c->local_host : conf_line(s->conf, SET_me),
      .protocol = protocol(c),
      .id = s->messid,
      .tls_version = c->tls ? stralloc_cstr(&c->tls_info.version) : 0,
      .tls_cipher = c->tls ? stralloc_cstr(&c->tls_info.cipher) : 0,
      .when = wall_now(),
      .hide = conf_flag(s->conf, SET_hide_host),
  };

  return received_build(out, &r);
}

static int open_queue(struct intake *in, struct strerr *e) {
  struct env env = {0};
  stralloc trace = STRALLOC_INIT;
  int r = -1;

  errno = ENOMEM;
  if (!environment(in->s, &env) || !trace_field(in->s, &trace)) strerr_sys(e, "unable to queue", (char *)0);
  else if (choose_queue(in->s, &env, e) == 0) r = qqclient_open(&in->q, &env, in->s->messid, e);
  if (r == 0) {
    in->queued = 1;
    in->q.pool = in->s->queue;
    qqclient_put(&in->q, trace.s, trace.len);
  }
  stralloc_free(&trace);
  env_free(&env);
  return r;
}

/* Nothing more is stored of what will be refused anyway. */
static void store(void *ctx, const char *buf, size_t n) {
  struct intake *in = ctx;
  const struct data_reader *d = &in->s->t.data;

  if (!in->queued) return;
  if (d->flaws || (in->limit && d->bytes > in->limit)) qqclient_fail(&in->q);
  qqclient_put(&in->q, buf, n);
}

/* Takes the message: 1 at its end; 0 when the session is over. */
static int take_message(struct intake *in) {
  struct session *s = in->s;
  size_t block = 0;

  for (;;) {
    enum data_verdict verdict;
    ssize_t r = substdio_feed(&s->in);
    size_t used;

    if (r <= 0) {
      int timeout = r == -1 && errno == ETIMEDOUT;

      reply_close(s, "4.4.2", timeout ? "timeout, goodbye" : "connection lost in the middle of a message");
      return 0;
    }
    verdict = data_feed(&s->t.data, substdio_peek(&s->in), (size_t)r, &used, store, in);
    substdio_take(&s->in, used);
    if (verdict == DATA_END) return 1;
    if (verdict == DATA_AMBIGUOUS) { /* check_lineends refuses it, and we hang up */
      (void)!policy_run(s, STAGE_DATA);
      s->over = 1;
      return 0;
    }
    if (s->t.data.bytes >= SESSION_WIDE_FROM) session_widen(s);
    block += used;
    if (block < BLOCK) continue;
    block = 0;
    session_deadline(s);
  }
}

static void send_envelope(struct intake *in) {
  const struct transaction *t = &in->s->t;
  const char *to = t->recipients.s;
  const char *end = to + t->recipients.len;
  const char *notify = t->notifies.s;

  qqclient_from(&in->q, stralloc_cstr(&t->sender.address), t->sender.address.len);
  qqclient_from_dsn(&in->q, stralloc_cstr(&t->dsn), t->dsn.len);
  for (; to < end; to += strlen(to) + 1, notify += strlen(notify) + 1) {
    qqclient_to(&in->q, to, strlen(to));
    qqclient_to_dsn(&in->q, notify, strlen(notify));
  }
}

static void log_accepted(const struct session *s, uint64_t qp) {
  const struct transaction *t = &s->t;

  LOG(2, PREFIX, smtp_accept, log_s(s->c.ip), log_u(s->c.number), log_u(qp), log_u(t->data.bytes),
      log_u(t->accepted), log_s(protocol(&s->c)), log_s(or_dash(stralloc_cstr(&s->c.user))),
      log_s(or_dash(stralloc_cstr(&s->c.helo))), log_s(stralloc_cstr(&t->sender.address)), log_s(t->recipients.s),
      log_s(s->messid));
}

static void reply_accepted(struct session *s, uint64_t qp) {
  stralloc text = STRALLOC_INIT;

  if (!stralloc_copylit(&text, "ok ") || !stralloc_catu64(&text, (uint64_t)wall_now()) || !stralloc_catlit(&text, " qp ") ||
      !stralloc_catu64(&text, qp) || !stralloc_catm(&text, " id ", s->messid, (char *)0))
    stralloc_cut(&text, 0);
  reply(s, 250, "2.0.0", stralloc_cstr(&text));
  stralloc_free(&text);
}

/* The queue program's text ends with its status code, "(#5.3.0)": ours stand in
 * front. */
static void reply_not_queued(struct session *s, struct qqresult *r) {
  char enhanced[16];
  const char *text = stralloc_cstr(&r->text);
  size_t n = r->text.len, i = bytes_rchr(text, n, '#');
  int permanent = r->verdict == 'D';

  memcpy(enhanced, permanent ? "5.3.0" : "4.3.0", 6);
  if (i > 1 && i < n && text[i - 1] == '(' && text[n - 1] == ')' && n - i - 2 < sizeof enhanced &&
      text[i + 1] == (permanent ? '5' : '4')) {
    memcpy(enhanced, text + i + 1, n - i - 2);
    enhanced[n - i - 2] = 0;
    stralloc_cut(&r->text, i - 1);
    stralloc_chomp(&r->text);
  }
  LOG(2, PREFIX, smtp_not_queued, log_s(s->c.ip), log_u(s->c.number), log_u((uint64_t)r->code),
      log_s(stralloc_cstr(&s->t.sender.address)), log_s(s->t.recipients.s), log_s(s->messid),
      log_s(stralloc_cstr(&r->text)));
  reply(s, permanent ? 554 : 451, enhanced, stralloc_cstr(&r->text));
}

static void finish(struct intake *in) {
  struct session *s = in->s;
  struct qqresult r = {0};

  if (policy_run(s, STAGE_DATA)) {
    send_envelope(in);
    if (qqclient_close(&in->q, &r) == 0) {
      log_accepted(s, in->q.qp);
      reply_accepted(s, in->q.qp);
    } else {
      reply_not_queued(s, &r);
    }
  } else {
    qqclient_fail(&in->q);
    (void)!qqclient_close(&in->q, &r);
  }
  qqresult_free(&r);
}

/* A message to be thrown away is judged like any other, and never meets the queue. */
static void finish_discarded(struct session *s) {
  if (!policy_run(s, STAGE_DATA)) return;
  log_accepted(s, 0);
  reply_accepted(s, s->c.number);
}

void verb_data(struct session *s, const char *arg, size_t n) {
  struct intake in = {.s = s, .limit = conf_number(s->conf, SET_databytes)};
  struct qqresult r;
  struct strerr e;

  if (n) {
    reply_refuse(s, 501, "5.5.4", "DATA takes nothing");
    return;
  }
  if (!s->t.discard && open_queue(&in, &e) == -1) {
    LOG(2, PREFIX, warning, log_s(e.text));
    reply(s, 451, "4.3.0", "unable to queue mail now");
    return;
  }
  reply(s, 354, 0, "send the message, end it with a dot alone on a line");
  session_deadline(s);
  if (take_message(&in)) {
    if (in.queued) finish(&in);
    else finish_discarded(s);
  } else if (in.queued) {
    qqclient_fail(&in.q);
    (void)!qqclient_close(&in.q, &r);
    qqresult_free(&r);
  }
  session_reset(s);
  reply_flush(s); /* RFC 1047: the client learns at once that we have it */
}
