/* session: see session.h. */
#include "smtp/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/log.h"
#include "base/wait.h"
#include "smtp/intake.h"
#include "smtp/overlay.h"
#include "smtp/peer.h"
#include "smtp/policy.h"
#include "smtp/reply.h"
#include "smtp/tls.h"
#include "smtp/verbs.h"
#include "user/peer_trust.h"

#define SESSION_SECONDS 86400
#define FLOOD (1u << 20)      /* bytes of a command line without an end */
#define BLOCK 16384          /* bytes of a message that must come within one timeout */
#define LINGER_SECONDS 2      /* for the client to read our last words */
#define LINGER_BYTES (1u << 18)

/* Whoever waits for the client first lets it have what it waits for. */
static ssize_t read_op(void *ctx, char *buf, size_t len) {
  struct session *s = ctx;

  if (substdio_flush(&s->out) == -1) return -1;
  return iodeadline_read(&s->io_in, buf, len);
}

static const char *variable(const struct env *env, const char *name, const char *other) {
  const char *v = env_lookup(env, name);

  if (!v && other) v = env_lookup(env, other);
  return v ? v : "";
}

void session_read_environment(struct session *s) {
  struct connection *c = &s->c;
  const struct env *env = s->env;

  c->ip = variable(env, "TCPREMOTEIP", "TCP6REMOTEIP");
  c->host = variable(env, "TCPREMOTEHOST", "TCP6REMOTEHOST");
  c->info = variable(env, "TCPREMOTEINFO", 0);
  c->local_ip = variable(env, "TCPLOCALIP", "TCP6LOCALIP");
  c->local_host = variable(env, "TCPLOCALHOST", "TCP6LOCALHOST");
  if (!*c->ip) c->ip = "unknown";
  if (c->lookup) c->lookup->here = c->local_ip;
  plugin_host_end(&s->plugin_host); /* the one before was of another client */
  s->plugin_host.env = env;
}

const char *session_prefix(const struct connection *c) {
  static const char *const names[] = {[SPEAKS_SMTP] = "qmail-smtpd: ", [SPEAKS_LMTP] = "qmail-lmtpd: ", [SPEAKS_QMTP] = "qmail-qmtpd: ", [SPEAKS_QMQP] = "qmail-qmqpd: "};

  return names[c->speaks];
}

void session_init(struct session *s, const struct session_place *at) {
  memset(s, 0, offsetof(struct session, inbuf));
  s->conf = at->settings->conf;
  s->settings = at->source;
  s->env = at->env;
  s->c.number = at->number;
  s->c.input = at->in;
  s->c.lookup = at->lookup;
  s->c.lists = at->settings->lists;
  s->c.content_rules = at->settings->content_rules;
  s->c.plugins = at->settings->plugins;
  s->c.plugin_host = &s->plugin_host;
  s->queue = at->queue;
  s->auth = at->auth;
  s->stop = at->stop;
  s->state = STATE_NEW;
  session_read_environment(s);
  if (conf_isset(s->conf, SET_relayclient)) s->c.relay = conf_line(s->conf, SET_relayclient);
  s->io_in.fd = at->in;
  s->io_out.fd = at->out;
  s->io_in.session = s->io_out.session = deadline_in(SESSION_SECONDS);
  session_deadline(s);
  session_next_message(s);
  substdio_init(&s->in, read_op, s, s->inbuf, sizeof s->inbuf);
  substdio_init(&s->out, iodeadline_write, &s->io_out, s->outbuf, sizeof s->outbuf);
}

void session_deadline(struct session *s) {
  s->io_in.when = s->io_out.when = deadline_in((int64_t)conf_number(s->conf, SET_timeoutsmtpd));
}

static void move_input(struct session *s, char *to, size_t size) {
  size_t have = substdio_have(&s->in);

  if (have) memcpy(to, substdio_peek(&s->in), have);
  substdio_init(&s->in, read_op, s, to, size);
  s->in.e = have;
}

void session_widen(struct session *s) {
  if (s->wide) return;
  s->wide = malloc(SESSION_WIDE_INPUT);
  if (s->wide) move_input(s, s->wide, SESSION_WIDE_INPUT);
}

/* A client that has sent that much ahead keeps the buffer until the next end. */
static void narrow(struct session *s) {
  if (!s->wide || substdio_have(&s->in) > SESSION_INPUT) return;
  move_input(s, s->inbuf, SESSION_INPUT);
  free(s->wide);
  s->wide = 0;
}

void session_reset(struct session *s) {
  smtp_path_free(&s->t.sender);
  smtp_path_free(&s->t.recipient);
  stralloc_free(&s->t.recipients);
  stralloc_free(&s->t.dsn);
  stralloc_free(&s->t.notify);
  stralloc_free(&s->t.notifies);
  content_free(&s->t.content);
  if (s->t.chunks) intake_abandon(s->t.chunks);
  free(s->t.chunks);
  memset(&s->t, 0, sizeof s->t);
  overlay_end(s);
  narrow(s);
  if (s->c.lookup) lookup_close(s->c.lookup); /* an idle client holds none of inlookup's connections */
  if (!(s->state & (STATE_MAIL | STATE_RCPT | STATE_CHUNK))) return;
  s->state = STATE_READY;
  session_next_message(s);
}

void session_next_message(struct session *s) {
  messid_make(s->messid, s->c.number);
}

void session_pause(struct session *s, uint64_t seconds) {
  deadline end = deadline_in((int64_t)(seconds > 3600 ? 3600 : seconds));

  reply_flush(s);
  if (!s->over && !s->trace) wait_until(end);
}

int session_may_relay(const struct connection *c) {
  return c->relay || (c->authenticated && c->auth_may_relay);
}

uint64_t session_message_bytes(const struct transaction *t) {
  return t->binary ? t->received : t->data.bytes;
}

int session_is_judged(const struct connection *c) {
  return c->speaks != SPEAKS_QMQP;
}

size_t session_more(struct session *s, size_t *block) {
  ssize_t r;

  if (*block >= BLOCK) {
    *block = 0;
    session_deadline(s);
  }
  if (s->t.data.bytes >= SESSION_WIDE_FROM) session_widen(s);
  r = substdio_feed(&s->in);
  if (r > 0) return (size_t)r;
  reply_close(s, "4.4.2", r == -1 && errno == ETIMEDOUT ? "timeout, goodbye" : "connection lost in the middle of a message");
  return 0;
}

/* The end of input makes whoever waits for it go on. */
void session_stop_all(struct session_stop *stop) {
  stop->asked = 1;
  for (struct session *s = stop->waiting; s; s = s->waiting_next) (void)!shutdown(s->io_in.fd, SHUT_RD);
}

static void begin_waiting(struct session *s) {
  if (!s->stop) return;
  s->waiting_next = s->stop->waiting;
  s->waiting_at = &s->stop->waiting;
  if (s->waiting_next) s->waiting_next->waiting_at = &s->waiting_next;
  s->stop->waiting = s;
}

static void end_waiting(struct session *s) {
  if (!s->stop) return;
  *s->waiting_at = s->waiting_next;
  if (s->waiting_next) s->waiting_next->waiting_at = s->waiting_at;
}

static int stopped(struct session *s) {
  if (!s->stop || !s->stop->asked) return 0;
  reply_close(s, "4.3.2", "service is shutting down, please try again later");
  return 1;
}

static enum line_result lost(struct session *s, ssize_t r) {
  int timeout = r == -1 && errno == ETIMEDOUT;

  s->over = 1;
  if (stopped(s)) return LINE_LOST;
  if (timeout) reply_close(s, "4.4.2", "timeout, goodbye");
  else if (r == -1) LOG(2, session_prefix(&s->c), smtp_closed, log_s(s->c.ip), log_u(s->c.number), log_s(strerror(errno)));
  return LINE_LOST;
}

static int line_bad(const stralloc *line) {
  return memchr(line->s, 0, line->len) || memchr(line->s, '\r', line->len);
}

static enum line_result read_line(struct session *s, size_t max) {
  size_t seen = 0;

  stralloc_cut(&s->line, 0);
  for (;;) {
    ssize_t r = substdio_feed(&s->in);
    size_t n, i;

    if (r <= 0) return lost(s, r);
    n = (size_t)r;
    i = bytes_chr(substdio_peek(&s->in), n, '\n');
    if (i < n) n = i + 1;
    seen += n;
    if (seen <= max + 2 && !stralloc_catb(&s->line, substdio_peek(&s->in), n)) {
      reply_close(s, "4.3.0", "out of memory");
      return LINE_LOST;
    }
    substdio_take(&s->in, n);
    if (i < n) break;
    if (seen <= FLOOD) continue;
    reply_close(s, "4.7.0", "that is no command line, goodbye");
    return LINE_LOST;
  }
  if (seen > max + 2) return LINE_TOO_LONG;
  if (seen < 2 || s->line.s[seen - 2] != '\r') return LINE_BAD;
  stralloc_cut(&s->line, seen - 2);
  return line_bad(&s->line) ? LINE_BAD : LINE_READ;
}

enum line_result session_line(struct session *s, size_t max) {
  enum line_result r;

  if (stopped(s)) return LINE_LOST;
  begin_waiting(s);
  r = read_line(s, max);
  end_waiting(s);
  return r != LINE_LOST && stopped(s) ? LINE_LOST : r;
}

static size_t command_max(const struct session *s) {
  uint64_t max = conf_number(s->conf, SET_maxcmdlen);

  return max && max < FLOOD ? (size_t)max : FLOOD / 2;
}

/* A login's first message stands in the command line, and is longer than any other. */
static int may_be_long(const struct session *s) {
  return s->auth && !s->c.authenticated;
}

static size_t line_max(const struct session *s) {
  size_t max = command_max(s);

  return may_be_long(s) && max < SESSION_AUTH_LINE ? SESSION_AUTH_LINE : max;
}

static void too_long(struct session *s) {
  stralloc_wipe(&s->line);
  stralloc_free(&s->line); /* whatever it was: not for the log */
  reply_refuse(s, 500, "5.5.2", "line too long");
}

static void serve_command(struct session *s) {
  session_deadline(s);
  switch (session_line(s, line_max(s))) {
    case LINE_READ:
      if (s->line.len > command_max(s) && !bytes_casestarts(s->line.s, s->line.len, "AUTH ")) too_long(s);
      else verbs_dispatch(s);
      return;
    case LINE_TOO_LONG: too_long(s); return;
    case LINE_BAD: reply_refuse(s, 500, "5.5.2", "a line ends with CR LF, and has neither elsewhere"); return;
    case LINE_LOST: return;
  }
}

static void greet(struct session *s) {
  const struct strlist *l = conf_lines(s->conf, SET_smtpgreeting);
  stralloc line = STRALLOC_INIT;

  for (size_t i = 0; i < l->len; ++i) {
    int last = i + 1 == l->len;

    if (!stralloc_copy(&line, &l->item[i]) || (last && !stralloc_cats(&line, s->c.speaks == SPEAKS_LMTP ? " LMTP" : " ESMTP"))) {
      reply_close(s, "4.3.0", "out of memory");
      break;
    }
    reply_line(s, 220, 0, last, line.s);
  }
  if (!l->len) reply(s, 220, 0, s->c.speaks == SPEAKS_LMTP ? "LMTP" : "ESMTP");
  stralloc_free(&line);
}

void session_greet(struct session *s) {
  session_reset(s);
  stralloc_cut(&s->c.helo, 0);
  s->c.extended = 0;
  s->state = STATE_NEW;
  if (!stopped(s) && policy_run(s, STAGE_CONNECT)) greet(s);
  else if (!s->over) s->state = STATE_REFUSED;
}

/* A client that is still talking would turn our close into a reset, and lose what
 * we said last. */
static void linger(struct session *s) {
  struct iodeadline io = {.fd = s->io_in.fd, .when = deadline_in(LINGER_SECONDS), .session = DEADLINE_NEVER};
  size_t left = LINGER_BYTES;

  if (shutdown(s->io_out.fd, SHUT_WR) == -1) return;
  while (left) {
    ssize_t r = iodeadline_read(&io, s->inbuf, sizeof s->inbuf < left ? sizeof s->inbuf : left);

    if (r <= 0) return;
    left -= (size_t)r;
  }
}

int session_run(struct session *s) {
  int last_words;

  if (!s->trace && (!peer_read_proxy(s) || (conf_flag(s->conf, SET_smtps) && tls_session(s) == -1))) return 1;
  session_deadline(s);
  if (peer_trusted(s->conf, SET_xclienthosts, s->c.ip)) s->c.believed |= BELIEVE_XCLIENT;
  if (peer_trusted(s->conf, SET_xforwardhosts, s->c.ip)) s->c.believed |= BELIEVE_XFORWARD;
  session_greet(s);
  while (!s->over) serve_command(s);
  last_words = s->out.p > 0 && s->over != SESSION_QUIT;
  s->io_out.when = deadline_in(LINGER_SECONDS);
  reply_flush(s);
  if (last_words) linger(s);
  return s->over == SESSION_QUIT ? 0 : 1;
}

void session_free(struct session *s) {
  session_reset(s);
  plugin_host_end(&s->plugin_host);
  stralloc_free(&s->c.helo);
  stralloc_free(&s->c.user);
  stralloc_free(&s->line);
  tls_info_free(&s->c.tls_info);
  free(s->wide);
  peer_free(s);
}
