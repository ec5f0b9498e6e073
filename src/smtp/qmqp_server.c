/* qmqp_server: see qmqp_server.h.  The message streams into the queue program, and behind it the
 * recipients, as many as there are; nothing counts before the envelope is whole.  Clients are trusted, and
 * so not judged; but hosts that trust each other can send mail in a circle, so hops are counted. */
#include "smtp/qmqp_server.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/netstring.h"
#include "smtp/intake.h"
#include "smtp/letter_reply.h"
#include "smtp/peer.h"
#include "smtp/tls.h"

#define SESSION_SECONDS 3600
#define ADDRESS_MAX 1000
#define BLOCK 16384 /* bytes that must come within one timeout */
#define NOT_ANSWERED 111

struct packet {
  struct session *s;
  struct intake in;
  uint64_t left; /* bytes of the packet that are to come */
  int too_large;
  stralloc address;
};

/* What is larger than databytes is read all the same: the client hears us only at its end. */
static int take_message(struct packet *p) {
  struct session *s = p->s;
  uint64_t limit = conf_number(s->conf, SET_databytes);
  uint64_t left;
  size_t block = 0;

  if (netstring_head(&s->in, &p->left, &left) != 1) return -1;
  p->left -= left;
  s->t.data.bytes = left;
  p->too_large = limit && left > limit;
  if (left >= SESSION_WIDE_FROM) session_widen(s);
  while (left) {
    ssize_t n = substdio_feed(&s->in);

    if (n == 0) errno = EPROTO;
    if (n <= 0) return -1;
    if ((uint64_t)n > left) n = (ssize_t)left;
    data_count_hops(&s->t.data, substdio_peek(&s->in), (size_t)n);
    intake_put(&p->in, substdio_peek(&s->in), (size_t)n);
    substdio_take(&s->in, (size_t)n);
    left -= (uint64_t)n;
    block += (size_t)n;
    if (block < BLOCK) continue;
    block = 0;
    session_deadline(s);
  }
  return netstring_tail(&s->in, &p->left);
}

/* An address of the envelope: bytes between NULs in the queue, so it has none itself. */
static int take_address(struct packet *p, stralloc *to) {
  int r = netstring_get(&p->s->in, &p->left, ADDRESS_MAX - 1, to);

  if (r == 1 && !memchr(to->s, 0, to->len)) return 0;
  if (r != -1) errno = EPROTO;
  return -1;
}

static int take_envelope(struct packet *p) {
  if (take_address(p, &p->s->t.sender.address) == -1) return -1;
  while (p->left > 1) { /* the last is the comma of the whole */
    if (take_address(p, &p->address) == -1) return -1;
    errno = ENOMEM;
    if (!intake_recipient(&p->in, &p->address)) return -1;
  }
  errno = EPROTO;
  return p->s->t.accepted ? netstring_tail(&p->s->in, &p->left) : -1;
}

static int take_packet(struct packet *p) {
  uint64_t len;

  p->left = UINT64_MAX;
  if (netstring_head(&p->s->in, &p->left, &len) != 1) return -1;
  p->left = len + 1;
  return take_message(p) == 0 ? take_envelope(p) : -1;
}

static int answer(struct packet *p, unsigned code, const char *enhanced, const char *text) {
  stralloc line = STRALLOC_INIT, out = STRALLOC_INIT;
  int r = -1;

  errno = ENOMEM;
  if (letter_reply(&line, code, enhanced, text) && netstring_cat(&out, line.s, line.len)) r = substdio_putflush(&p->s->out, out.s, out.len);
  stralloc_free(&line);
  stralloc_free(&out);
  return r;
}

static int refuse(struct packet *p, unsigned code, const char *enhanced, const char *why) {
  intake_refuse(&p->in, why);
  return answer(p, code, enhanced, why);
}

/* The packet is whole: what became of it. */
static int settle(struct packet *p) {
  uint64_t hops = conf_number(p->s->conf, SET_maxhops);
  struct intake_answer a;
  int r;

  if (p->too_large) return refuse(p, 552, "5.3.4", "the message is larger than we take");
  if (hops && p->s->t.data.hops >= hops) return refuse(p, 554, "5.4.6", "too many hops, this message is looping");
  intake_finish(&p->in, &a);
  r = answer(p, a.code, a.enhanced, stralloc_cstr(&a.text));
  intake_answered(&p->in, &a);
  return r;
}

static int lost(const struct session *s) {
  LOG(2, session_prefix(&s->c), smtp_closed, log_s(s->c.ip), log_u(s->c.number),
      log_s(errno == EPROTO ? "the client does not speak QMQP" : strerror(errno)));
  return NOT_ANSWERED;
}

static int serve(struct packet *p) {
  struct strerr e;

  if (intake_open_early(&p->in, p->s, &e) == 0) return take_packet(p) == 0 && settle(p) == 0 ? 0 : lost(p->s);
  (void)!answer(p, 451, "4.3.0", "unable to queue mail now");
  return NOT_ANSWERED;
}

int qmqp_run(struct session *s) {
  struct packet p = {.s = s};
  int code;

  s->io_in.session = s->io_out.session = deadline_in(SESSION_SECONDS);
  s->state = STATE_MAIL;
  if (!peer_read_proxy(s) || (conf_flag(s->conf, SET_smtps) && tls_session(s) == -1)) return NOT_ANSWERED;
  session_deadline(s);
  code = serve(&p);
  intake_abandon(&p.in); /* of what was not a packet nothing is queued */
  stralloc_free(&p.address);
  return code;
}
