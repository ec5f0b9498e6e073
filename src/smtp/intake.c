/* intake: see intake.h. */
#include "smtp/intake.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "mail/date.h"
#include "mail/dsn.h"
#include "mail/received.h"
#include "queue/domainqueue.h"
#include "smtp/notice.h"
#include "smtp/overlay.h"
#include "smtp/policy.h"
#include "smtp/reply.h"
#include "smtp/warnings.h"


static const char *or_dash(const char *s) {
  return *s ? s : "-";
}

/* As Received fields name it (RFC 3848, RFC 6531 4.3). */
static const char *protocol(const struct session *s) {
  static const char *const smtp[3][2][2] = {{{"SMTP", "SMTPA"}, {"SMTPS", "SMTPSA"}},
                                            {{"ESMTP", "ESMTPA"}, {"ESMTPS", "ESMTPSA"}},
                                            {{"UTF8SMTP", "UTF8SMTPA"}, {"UTF8SMTPS", "UTF8SMTPSA"}}};
  static const char *const lmtp[2][2][2] = {{{"LMTP", "LMTPA"}, {"LMTPS", "LMTPSA"}},
                                            {{"UTF8LMTP", "UTF8LMTPA"}, {"UTF8LMTPS", "UTF8LMTPSA"}}};
  const struct connection *c = &s->c;
  int utf8 = s->t.utf8 != 0;

  switch (c->speaks) {
    case SPEAKS_SMTP: return smtp[utf8 ? 2 : !!c->extended][!!c->tls][!!c->authenticated];
    case SPEAKS_LMTP: return lmtp[utf8][!!c->tls][!!c->authenticated];
    case SPEAKS_QMTP: return "QMTP";
    case SPEAKS_QMQP: return "QMQP";
  }
  return "";
}

/* What the queue program and those after it are told about who sent this. */
static int environment(const struct session *s, struct env *env) {
  const struct connection *c = &s->c;

  if (!env_copy(env, overlay_env(s))) return 0;
  if (s->t.marks & MARK_NO_SPAMFILTER && !env_unset(env, "SPAMFILTER") && env->inherit) return 0;
  if (!c->authenticated) return 1;
  return env_set(env, "TCPREMOTEINFO", c->user.s) && env_set(env, "AUTHINFO", c->user.s) &&
         (!c->auth_may_relay || env_set(env, "RELAYCLIENT", c->relay ? c->relay : ""));
}

/* What control/domainqueue says of the recipients: of those it knows the last decides.  0 or -1. */
static int choose_queue(const struct session *s, struct env *env, struct strerr *e) {
  const struct strlist *rules = conf_lines(s->conf, SET_domainqueue);
  const stralloc *to = &s->t.recipients;
  const char *what = 0, *found;
  int ok = 1;

  if (!rules->len || env_lookup(env, "QUEUEDIR")) return 0;
  for (size_t i = 0; ok && i < to->len; i += strlen(to->s + i) + 1) {
    ok = domainqueue_find(rules, to->s + i, strlen(to->s + i), &found);
    if (found) what = found;
  }
  switch (!ok ? DOMAINQUEUE_NOMEM : what ? domainqueue_apply(what, env) : DOMAINQUEUE_OK) {
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
      .protocol = protocol(s),
      .id = s->messid,
      .tls_version = c->tls ? stralloc_cstr(&c->tls_info.version) : 0,
      .tls_cipher = c->tls ? stralloc_cstr(&c->tls_info.cipher) : 0,
      .when = wall_now(),
      .hide = conf_flag(s->conf, SET_hide_host),
  };

  return received_build(out, &r) && warnings_append(s->conf, out);
}

/* Of those that are kept, or whichever came last. */
static const char *first_recipient(const struct transaction *t) {
  return t->recipients.len ? t->recipients.s : stralloc_cstr(&t->recipient.address);
}

static void log_not_queued(const struct session *s, int code, const char *text) {
  LOG(2, session_prefix(&s->c), smtp_not_queued, log_s(s->c.ip), log_u(s->c.number), log_u((uint64_t)code),
      log_s(stralloc_cstr(&s->t.sender.address)), log_s(first_recipient(&s->t)), log_s(s->messid), log_s(text));
}

/* Whoever writes a message, rather than passing it on, may leave these to us (RFC 6409 section 8). */
static int completes(const struct session *s) {
  return s->c.authenticated || conf_flag(s->conf, SET_submission);
}

static int make_fields(struct intake *in) {
  char date[DATE_TEXT];

  date_fmt(date, wall_now(), "+0000");
  in->fields.date = in->fields.messid = 0;
  if (!stralloc_catm(&in->date, "Date: ", date, "\n", (char *)0) ||
      !stralloc_catm(&in->message_id, "Message-ID: <", in->s->messid, "@", conf_line(in->s->conf, SET_me), ">\n", (char *)0))
    return 0;
  in->fields = (struct submission_fields){in->date.s, in->message_id.s};
  return 1;
}

static void free_header(struct intake *in) {
  stralloc_free(&in->date);
  stralloc_free(&in->message_id);
  stralloc_free(&in->piece);
  binary_mime_free(&in->mime);
}

/* What the client was promised and this queue program would forget, where that must not be: or null. */
static const char *would_be_lost(const struct intake *in) {
  const struct transaction *t = &in->s->t;
  struct dsn_mail d;

  if (in->q.takes_dsn || !dsn_mail_parse(stralloc_cstr(&t->dsn), t->dsn.len, &d)) return 0;
  if (d.requiretls) return "REQUIRETLS";
  if (d.utf8) return "SMTPUTF8";
  if (d.hold_until) return "HOLDFOR and HOLDUNTIL";
  return d.by_mode == DSN_BY_NONE ? 0 : "BY";
}

static int promises_kept(struct intake *in, struct strerr *e) {
  const char *lost = would_be_lost(in);

  if (!lost) return 1;
  strerr_set(e, "where this message goes ", lost, " is not known", (char *)0);
  e->permanent = 1;
  log_not_queued(in->s, 0, e->text);
  intake_abandon(in);
  return 0;
}

static int open_queue(struct intake *in, struct strerr *e) {
  struct env env = {0};
  stralloc trace = STRALLOC_INIT;
  int r = -1;

  errno = ENOMEM;
  in->completes = completes(in->s);
  if (!environment(in->s, &env) || !trace_field(in->s, &trace) || (in->completes && !make_fields(in))) strerr_sys(e, "unable to queue", (char *)0);
  else if (choose_queue(in->s, &env, e) == 0) {
    errno = ENOMEM;
    /* a rehearsal queues nothing, whatever settings or rules say */
    if (in->s->trace && !env_set(&env, "NULLQUEUE", "1")) strerr_sys(e, "unable to queue", (char *)0);
    else r = qqclient_open(&in->q, &env, in->s->messid, e);
  }
  if (r == -1) {
    log_not_queued(in->s, 0, e->text);
    free_header(in);
  }
  if (r == 0) {
    in->queued = 1;
    in->q.pool = in->s->queue;
    qqclient_put(&in->q, trace.s, trace.len);
  }
  stralloc_free(&trace);
  env_free(&env);
  return r == 0 && promises_kept(in, e) ? 0 : -1; /* rules and control/domainqueue may have named another than EHLO knew */
}

static int begin(struct intake *in, struct session *s) {
  memset(in, 0, offsetof(struct intake, q));
  in->s = s;
  in->limit = conf_number(s->conf, SET_databytes);
  in->look = session_is_judged(&s->c) && content_wanted(s->c.content_rules, s->c.lists);
  return s->t.discard;
}

int intake_open(struct intake *in, struct session *s, struct strerr *e) {
  if (!s->t.recipients.len) s->t.discard = 1; /* every one was dropped */
  return begin(in, s) ? 0 : open_queue(in, e);
}

int intake_open_early(struct intake *in, struct session *s, struct strerr *e) {
  return begin(in, s) ? 0 : open_queue(in, e);
}

int intake_doomed(const struct intake *in) {
  const struct transaction *t = &in->s->t;

  return t->data.flaws || (in->limit && session_message_bytes(t) > in->limit);
}

static void pass_piece(struct intake *in, int ok) {
  if (!ok) qqclient_fail(&in->q);
  qqclient_put(&in->q, in->piece.s, in->piece.len);
  stralloc_cut(&in->piece, 0);
}

/* What comes behind the header goes on untouched. */
static void complete(struct intake *in, const char *buf, size_t n) {
  pass_piece(in, submission_header_feed(&in->header, &in->fields, buf, n, &in->piece));
  in->completes = in->header.at != SUBMISSION_DONE;
}

/* Nothing more is stored of what will be refused anyway. */
void intake_put(void *ctx, const char *buf, size_t n) {
  struct intake *in = ctx;
  const struct connection *c = &in->s->c;

  if (in->look) content_feed(&in->s->t.content, c->content_rules, c->lists, buf, n);
  if (!in->queued) return;
  if (intake_doomed(in)) qqclient_fail(&in->q);
  if (in->completes) complete(in, buf, n);
  else qqclient_put(&in->q, buf, n);
}

/* What binary_mime makes of them. */
static void put_lines(void *ctx, const char *s, size_t n) {
  struct intake *in = ctx;
  struct transaction *t = &in->s->t;

  if (!t->data.flaws) t->kept = in->mime.kept;
  data_feed_chunk(&t->data, s, n, intake_put, in);
}

void intake_chunk(struct intake *in, const char *s, size_t n) {
  struct transaction *t = &in->s->t;

  if (!t->binary) {
    data_feed_chunk(&t->data, s, n, intake_put, in);
    return;
  }
  t->received += n;
  if (!intake_doomed(in)) binary_mime_feed(&in->mime, s, n, put_lines, in);
  if (in->mime.failed && in->queued) qqclient_fail(&in->q);
}

void intake_end_chunks(struct intake *in) {
  struct transaction *t = &in->s->t;

  if (t->binary && !intake_doomed(in)) binary_mime_end(&in->mime, put_lines, in);
  if (in->mime.failed && in->queued) qqclient_fail(&in->q);
  data_end_chunks(&t->data, intake_put, in);
}

static void send_envelope(struct intake *in) {
  const struct transaction *t = &in->s->t;
  const char *to = t->recipients.s;
  const char *end = to + t->recipients.len;
  const char *notify = t->notifies.s;

  if (in->enveloped) return;
  qqclient_from(&in->q, stralloc_cstr(&t->sender.address), t->sender.address.len);
  qqclient_from_dsn(&in->q, stralloc_cstr(&t->dsn), t->dsn.len);
  for (; to < end; to += strlen(to) + 1, notify += strlen(notify) + 1) {
    qqclient_to(&in->q, to, strlen(to));
    qqclient_to_dsn(&in->q, notify, strlen(notify));
  }
}

/* The end of the message, for the queue program. */
static void end_message(struct intake *in) {
  if (in->completes) pass_piece(in, submission_header_end(&in->header, &in->fields, &in->piece));
  in->completes = 0;
}

int intake_recipient(struct intake *in, const stralloc *to) {
  struct transaction *t = &in->s->t;

  if (!in->enveloped) {
    if (!stralloc_catz(&t->recipients, stralloc_cstr(to), to->len)) return 0; /* the first, for the log */
    if (in->queued) {
      end_message(in);
      qqclient_from(&in->q, stralloc_cstr(&t->sender.address), t->sender.address.len);
    }
    in->enveloped = 1;
  }
  if (in->queued) qqclient_to(&in->q, stralloc_cstr(to), to->len);
  ++t->accepted;
  return 1;
}

static void log_accepted(const struct session *s, uint64_t qp) {
  const struct transaction *t = &s->t;

  LOG(2, session_prefix(&s->c), smtp_accept, log_s(s->c.ip), log_u(s->c.number), log_u(qp), log_u(t->data.bytes),
      log_u(t->accepted), log_s(protocol(s)), log_s(or_dash(stralloc_cstr(&s->c.user))),
      log_s(or_dash(stralloc_cstr(&s->c.helo))), log_s(stralloc_cstr(&t->sender.address)), log_s(first_recipient(t)),
      log_s(s->messid));
}

static void answer(struct intake_answer *a, unsigned code, const char *enhanced) {
  a->code = code;
  snprintf(a->enhanced, sizeof a->enhanced, "%s", enhanced);
  stralloc_cut(&a->text, 0);
}

static void answer_accepted(const struct session *s, uint64_t qp, struct intake_answer *a) {
  a->accepted = 1;
  a->qp = s->t.discard ? 0 : qp;
  answer(a, 250, "2.0.0");
  if (!qqclient_receipt(&a->text, qp, s->messid)) stralloc_cut(&a->text, 0);
}

/* The queue program's text ends with its status code, "(#5.3.0)", which is taken out of it. */
static void take_status(stralloc *text, int permanent, struct intake_answer *a) {
  const char *s = stralloc_cstr(text);
  size_t n = text->len, i = bytes_rchr(s, n, '#');
  size_t len = i < n ? n - i - 2 : 0;

  if (i < 1 || i >= n || s[i - 1] != '(' || s[n - 1] != ')' || len >= sizeof a->enhanced || s[i + 1] != (permanent ? '5' : '4'))
    return;
  memcpy(a->enhanced, s + i + 1, len);
  a->enhanced[len] = 0;
  stralloc_cut(text, i - 1);
  stralloc_chomp(text);
}

static void answer_not_queued(const struct session *s, struct qqresult *r, struct intake_answer *a) {
  int permanent = r->verdict == 'D';

  answer(a, permanent ? 554 : 451, permanent ? "5.3.0" : "4.3.0");
  take_status(&r->text, permanent, a);
  log_not_queued(s, r->code, stralloc_cstr(&r->text));
  if (!stralloc_cat(&a->text, &r->text)) stralloc_cut(&a->text, 0);
}

/* Whoever looks for why a signature of this message no longer fits. */
static void log_encoded(const struct session *s, unsigned parts) {
  if (parts) LOG(2, session_prefix(&s->c), smtp_encoded, log_s(s->c.ip), log_u(s->c.number), log_u(parts), log_s(s->messid));
}

static void commit(struct intake *in, struct intake_answer *a) {
  unsigned parts = in->mime.encoded;
  struct qqresult r;

  end_message(in);
  free_header(in);
  send_envelope(in);
  if (qqclient_close(&in->q, &r) == 0) {
    log_encoded(in->s, parts);
    answer_accepted(in->s, in->q.qp, a);
    if (!in->q.takes_dsn) notice_relayed(in->s);
  } else answer_not_queued(in->s, &r, a);
  in->queued = 0;
  qqresult_free(&r);
}

/* The checks find what is in it; those that refuse have logged it. */
static int judge(struct intake *in, struct intake_answer *a) {
  struct session *s = in->s;
  struct policy_reply r = {0};
  int pass;

  if (in->look) content_end(&s->t.content, s->c.content_rules, s->c.lists);
  pass = policy_decide(s, STAGE_DATA, &r);
  if (!pass) answer(a, r.code, r.enhanced);
  if (!pass && !stralloc_cat(&a->text, &r.text)) stralloc_cut(&a->text, 0);
  stralloc_free(&r.text);
  return pass;
}

void intake_not_opened(struct session *s, const struct strerr *e) {
  if (e->permanent) reply(s, 554, "5.3.3", e->text);
  else reply(s, 451, "4.3.0", "unable to queue mail now");
}

void intake_finish(struct intake *in, struct intake_answer *a) {
  int pass;

  memset(a, 0, sizeof *a);
  if (!in->s->t.recipients.len) in->s->t.discard = 1; /* every one was dropped after the queue was opened */
  pass = judge(in, a);
  if (pass && in->queued && !in->s->t.discard) {
    commit(in, a);
    return;
  }
  intake_abandon(in);
  if (pass) answer_accepted(in->s, in->s->c.number, a); /* judged like any other, and thrown away */
}

void intake_refuse(struct intake *in, const char *why) {
  log_not_queued(in->s, 0, why);
  intake_abandon(in);
}

void intake_abandon(struct intake *in) {
  struct qqresult r;

  free_header(in);
  if (!in->queued) return;
  qqclient_fail(&in->q);
  (void)!qqclient_close(&in->q, &r);
  qqresult_free(&r);
  in->queued = 0;
}

void intake_answered(const struct intake *in, struct intake_answer *a) {
  if (a->accepted) log_accepted(in->s, a->qp);
  stralloc_free(&a->text);
}
