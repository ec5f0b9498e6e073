/* qmqp_server: see qmqp_server.h.  The message streams into the queue program; nothing
 * counts before the envelope is whole. */
#include "smtp/qmqp_server.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/iodeadline.h"
#include "base/log.h"
#include "base/netstring.h"
#include "mail/received.h"
#include "queue/messid.h"
#include "queue/qqclient.h"

#define PREFIX "qmail-qmqpd: "
#define SESSION_SECONDS 3600
#define ADDRESS_MAX 1000
#define BLOCK 16384 /* bytes that must come within one timeout */

struct packet {
  const struct qmqp_place *at;
  struct iodeadline io_in, io_out;
  substdio in;
  struct qqclient q;
  uint64_t left;  /* bytes of the packet that are to come */
  uint64_t bytes; /* of the message */
  uint64_t recipients;
  int too_big;
  char messid[MESSID_SIZE];
  stralloc sender, recipient, first;
  char inbuf[8192];
};

static const char *variable(const struct packet *p, const char *name, const char *other) {
  const char *v = env_lookup(p->at->env, name);

  if (!v && other) v = env_lookup(p->at->env, other);
  return v ? v : "";
}

static const char *remote_ip(const struct packet *p) {
  const char *ip = variable(p, "TCPREMOTEIP", "TCP6REMOTEIP");

  return *ip ? ip : "unknown";
}

static void more_time(struct packet *p) {
  p->io_in.when = p->io_out.when = deadline_in((int64_t)conf_number(p->at->conf, SET_timeoutsmtpd));
}

static int put_trace(struct packet *p) {
  const char *local = variable(p, "TCPLOCALHOST", "TCP6LOCALHOST");
  const struct received r = {
      .remote_host = variable(p, "TCPREMOTEHOST", "TCP6REMOTEHOST"),
      .remote_ip = remote_ip(p),
      .remote_info = variable(p, "TCPREMOTEINFO", 0),
      .local = *local ? local : conf_line(p->at->conf, SET_me),
      .protocol = "QMQP",
      .id = p->messid,
      .when = wall_now(),
      .hide = conf_flag(p->at->conf, SET_hide_host),
  };
  stralloc trace = STRALLOC_INIT;
  int ok = received_build(&trace, &r);

  if (ok) qqclient_put(&p->q, trace.s, trace.len);
  stralloc_free(&trace);
  return ok;
}

/* What is larger than databytes is read all the same: the client hears us only at its end. */
static int take_message(struct packet *p) {
  uint64_t limit = conf_number(p->at->conf, SET_databytes);
  uint64_t left;
  size_t block = 0;

  if (netstring_head(&p->in, &p->left, &left) != 1) return -1;
  p->bytes = left;
  p->left -= left;
  p->too_big = limit && left > limit;
  if (p->too_big) qqclient_fail(&p->q);
  while (left) {
    ssize_t n = substdio_feed(&p->in);

    if (n == 0) errno = EPROTO;
    if (n <= 0) return -1;
    if ((uint64_t)n > left) n = (ssize_t)left;
    qqclient_put(&p->q, substdio_peek(&p->in), (size_t)n);
    substdio_take(&p->in, (size_t)n);
    left -= (uint64_t)n;
    block += (size_t)n;
    if (block < BLOCK) continue;
    block = 0;
    more_time(p);
  }
  return netstring_tail(&p->in, &p->left);
}

/* An address of the envelope: bytes between NULs in the queue, so it has none itself. */
static int take_address(struct packet *p, stralloc *to) {
  int r = netstring_get(&p->in, &p->left, ADDRESS_MAX - 1, to);

  if (r == 1 && !memchr(to->s, 0, to->len)) return 0;
  if (r != -1) errno = EPROTO;
  return -1;
}

static int take_envelope(struct packet *p) {
  if (take_address(p, &p->sender) == -1) return -1;
  qqclient_from(&p->q, p->sender.s, p->sender.len);
  while (p->left > 1) { /* the last is the comma of the whole */
    if (take_address(p, &p->recipient) == -1) return -1;
    if (!p->recipients++ && !stralloc_copy(&p->first, &p->recipient)) return -1;
    qqclient_to(&p->q, p->recipient.s, p->recipient.len);
  }
  errno = EPROTO;
  return p->recipients ? netstring_tail(&p->in, &p->left) : -1;
}

static int take_packet(struct packet *p) {
  uint64_t len;

  p->left = UINT64_MAX;
  if (netstring_head(&p->in, &p->left, &len) != 1) return -1;
  p->left = len + 1;
  return take_message(p) == 0 ? take_envelope(p) : -1;
}

static int answer(struct packet *p, const stralloc *text) {
  stralloc s = STRALLOC_INIT;
  size_t sent = 0;
  int ok = netstring_cat(&s, stralloc_cstr(text), text->len);

  while (ok && sent < s.len) {
    ssize_t w = iodeadline_write(&p->io_out, s.s + sent, s.len - sent);

    ok = w > 0;
    if (ok) sent += (size_t)w;
  }
  stralloc_free(&s);
  return ok ? 0 : -1;
}

static void log_accepted(const struct packet *p) {
  LOG(2, PREFIX, smtp_accept, log_s(remote_ip(p)), log_u((uint64_t)getpid()), log_u(p->q.qp), log_u(p->bytes),
      log_u(p->recipients), log_s("QMQP"), log_s("-"), log_s("-"), log_s(stralloc_cstr(&p->sender)),
      log_s(stralloc_cstr(&p->first)), log_s(p->messid));
}

static void log_refused(const struct packet *p, int code, const char *text) {
  LOG(2, PREFIX, smtp_not_queued, log_s(remote_ip(p)), log_u((uint64_t)getpid()), log_u((uint64_t)code),
      log_s(stralloc_cstr(&p->sender)), log_s(stralloc_cstr(&p->first)), log_s(p->messid), log_s(text));
}

/* The packet is whole: what became of it. */
static int settle(struct packet *p) {
  struct qqresult r;
  stralloc text = STRALLOC_INIT;
  int queued = qqclient_close(&p->q, &r) == 0;
  int ok;

  if (queued) {
    log_accepted(p);
    ok = stralloc_append(&text, 'K') && qqclient_receipt(&text, p->q.qp, p->messid);
  } else if (p->too_big) {
    ok = stralloc_copylit(&text, "Dthe message is larger than we take (#5.3.4)");
  } else {
    ok = stralloc_append(&text, r.verdict) && stralloc_cat(&text, &r.text);
  }
  if (!queued) log_refused(p, r.code, ok ? text.s + 1 : "");
  if (ok) ok = answer(p, &text) == 0;
  stralloc_free(&text);
  qqresult_free(&r);
  return ok ? 0 : -1;
}

static int open_queue(struct packet *p, struct strerr *e) {
  stralloc text = STRALLOC_INIT;

  if (qqclient_open(&p->q, p->at->env, p->messid, e) == 0) return 0;
  if (stralloc_copylit(&text, "Zunable to queue mail now (#4.3.0)")) (void)!answer(p, &text);
  stralloc_free(&text);
  return -1;
}

/* Not a packet: what there is of it must not be queued. */
static int lost(struct packet *p, struct strerr *e) {
  struct qqresult r;

  if (errno == EPROTO) strerr_set(e, "the client does not speak QMQP", (char *)0);
  else strerr_sys(e, "the client was lost", (char *)0);
  qqclient_fail(&p->q);
  (void)!qqclient_close(&p->q, &r);
  qqresult_free(&r);
  return -1;
}

static int serve(struct packet *p, struct strerr *e) {
  if (open_queue(p, e) == -1) return -1;
  if (!put_trace(p)) {
    errno = ENOMEM;
    return lost(p, e);
  }
  if (take_packet(p) == -1) return lost(p, e);
  return settle(p) == 0 ? 0 : strerr_sys(e, "unable to answer", (char *)0);
}

int qmqp_serve(const struct qmqp_place *at, struct strerr *e) {
  deadline end = deadline_in(SESSION_SECONDS);
  struct packet p = {.at = at, .io_in = {.fd = at->in, .session = end}, .io_out = {.fd = at->out, .session = end}};
  int r;

  messid_make(p.messid, (uint64_t)getpid());
  substdio_init(&p.in, iodeadline_read, &p.io_in, p.inbuf, sizeof p.inbuf);
  more_time(&p);
  r = serve(&p, e);
  if (r == -1) LOG(2, PREFIX, smtp_closed, log_s(remote_ip(&p)), log_u((uint64_t)getpid()), log_s(e->text));
  stralloc_free(&p.sender);
  stralloc_free(&p.recipient);
  stralloc_free(&p.first);
  return r;
}
