/* qmtp: see qmtp.h.  The message comes before those whom it concerns: it streams into the queue
 * program, which forgets it again where every recipient is refused.  Where the sender or a recipient may
 * have a say in how it is queued, it is held until they are known. */
#include "smtp/qmtp.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/netstring.h"
#include "smtp/bounce_tag.h"
#include "smtp/envelope.h"
#include "smtp/held.h"
#include "smtp/intake.h"
#include "smtp/letter_reply.h"
#include "smtp/overlay.h"
#include "smtp/peer.h"
#include "smtp/policy.h"
#include "smtp/tls.h"

#define SESSION_SECONDS 3600
#define BLOCK 16384                /* bytes that must come within one timeout */
#define ADDRESS_MAX 1000
#define RECIPIENTS_MAX (256 << 10) /* bytes of the recipients of a packet */
#define TEXTS_MAX 255              /* different refusals in a packet */
#define NOT_ASCII "addresses beyond ASCII are for messages with SMTPUTF8"

typedef void (*feed_fn)(struct data_reader *r, const char *s, size_t n, data_sink sink, void *ctx);

struct packet {
  struct session *s;
  struct intake in;
  feed_fn feed;        /* how its lines end */
  int holds;           /* the message, in held */
  struct held held;
  uint64_t room;       /* bytes more that held takes: beyond databytes nothing is kept */
  int too_large;       /* there was no room */
  int cannot_queue;    /* all of it is to be tried again */
  stralloc verdicts;   /* a byte for each recipient: 0 accepted, else the number of a text */
  struct strlist text; /* refusals */
  stralloc address;
};

/* The verdict on one recipient: of the refusals each is kept once. */
static int refuse(struct packet *p, unsigned code, const char *enhanced, const stralloc *text) {
  stralloc line = STRALLOC_INIT;
  size_t i = 0;
  int ok = letter_reply(&line, code, enhanced, stralloc_cstr(text));

  while (ok && i < p->text.len && (p->text.item[i].len != line.len || memcmp(p->text.item[i].s, line.s, line.len))) ++i;
  if (i == TEXTS_MAX) i = TEXTS_MAX - 1; /* its letter and reason are those of another refusal of the same client */
  else if (ok && i == p->text.len) ok = strlist_add(&p->text, line.s, line.len);
  stralloc_free(&line);
  return ok && stralloc_append(&p->verdicts, (char)(i + 1));
}

static int refuse_plainly(struct packet *p, unsigned code, const char *enhanced, const char *why) {
  stralloc text = STRALLOC_INIT;
  int ok = stralloc_copys(&text, why) && refuse(p, code, enhanced, &text);

  stralloc_free(&text);
  return ok;
}

/* --- the message -------------------------------------------------------------------------------- */

/* Lists and rules by which the queue program is run for one sender or recipient as for no other. */
static int depends_on_envelope(const struct session *s) {
  return overlay_wants_sender(s) || list_is_there(s->c.lists, LIST_spamignore) || conf_lines(s->conf, SET_domainqueue)->len;
}

static void hold(struct packet *p, const char *s, size_t n) {
  if (p->cannot_queue || p->too_large) return;
  if (n > p->room) {
    p->too_large = 1;
    return;
  }
  p->room -= n;
  if (held_put(&p->held, s, n) == 0) return;
  LOG(2, session_prefix(&p->s->c), smtp_not_queued, log_s(p->s->c.ip), log_u(p->s->c.number), log_u(0), log_s(""), log_s(""), log_s(p->s->messid),
      log_s(strerror(errno)));
  p->cannot_queue = 1;
}

static void pass_on(void *packet, const char *s, size_t n) {
  struct packet *p = packet;

  p->feed(&p->s->t.data, s, n, intake_put, &p->in);
}

/* Nothing is kept of a message that is larger than databytes whatever the ends of its lines are. */
static void begin_message(struct packet *p, char first) {
  uint64_t limit = conf_number(p->s->conf, SET_databytes);
  struct strerr e;

  p->feed = first == '\r' ? data_feed_chunk : data_feed_lines;
  p->holds = depends_on_envelope(p->s);
  p->room = limit && limit < UINT64_MAX / 2 ? 2 * limit : UINT64_MAX;
  if (!p->holds) p->cannot_queue = intake_open_early(&p->in, p->s, &e) == -1;
}

static int stream(struct packet *p, uint64_t left) {
  struct session *s = p->s;
  size_t block = 0;

  while (left) {
    ssize_t n = substdio_feed(&s->in);

    if (n == 0) errno = EPROTO;
    if (n <= 0) return -1;
    if ((uint64_t)n > left) n = (ssize_t)left;
    if (p->holds) hold(p, substdio_peek(&s->in), (size_t)n);
    else pass_on(p, substdio_peek(&s->in), (size_t)n);
    substdio_take(&s->in, (size_t)n);
    left -= (uint64_t)n;
    if (s->t.data.bytes >= SESSION_WIDE_FROM || p->held.has_file) session_widen(s);
    block += (size_t)n;
    if (block < BLOCK) continue;
    block = 0;
    session_deadline(s);
  }
  if (!p->holds) data_end_chunks(&s->t.data, intake_put, &p->in);
  return 0;
}

/* 1 taken, 0 the client has ended, -1. */
static int take_message(struct packet *p) {
  uint64_t left = UINT64_MAX, n;
  char first;
  int r = netstring_head(&p->s->in, &left, &n);

  if (r != 1) return r;
  errno = EPROTO;
  if (!n || substdio_get(&p->s->in, &first, 1) != 1 || (first != '\n' && first != '\r')) return -1;
  begin_message(p, first);
  if (stream(p, n - 1) == -1) return -1;
  return netstring_tail(&p->s->in, &left) == 0 ? 1 : -1;
}

/* --- sender and recipients ---------------------------------------------------------------------- */

/* 1; 0 not an address we take; -1 the client is lost, or memory. */
static int take_address(struct packet *p, uint64_t *left, struct smtp_path *to) {
  int r = netstring_get(&p->s->in, left, ADDRESS_MAX, &p->address);

  if (r != 1) {
    if (r == 0) errno = EPROTO;
    return -1;
  }
  switch (smtp_path_plain(p->address.s, p->address.len, to)) {
    case SMTP_OK: return 1;
    case SMTP_SYNTAX:
    case SMTP_TOO_LONG: return 0;
    case SMTP_NO_MEMORY: errno = ENOMEM; return -1;
  }
  return -1;
}

/* What is said of each recipient because of the sender; text empty: nothing. */
static int judge_sender(struct packet *p, int ok, struct policy_reply *r) {
  struct session *s = p->s;

  if (!ok) (void)policy_say(r, VERDICT_REJECT, 553, "5.1.7", "syntax error in the sender's address");
  else if (s->t.sender.eight_bit) (void)policy_say(r, VERDICT_REJECT, 553, "5.6.7", NOT_ASCII);
  else if (p->cannot_queue) (void)policy_say(r, VERDICT_DEFER, 451, "4.3.0", "unable to queue mail now");
  else if (p->too_large) (void)policy_say(r, VERDICT_REJECT, 552, "5.3.4", "the message is larger than we take");
  else if (!envelope_complete_sender(s)) return -1;
  else if (!overlay_begin(s)) (void)policy_say(r, VERDICT_DEFER, 451, "4.3.5", OVERLAY_BAD_SENDER);
  else if (policy_decide(s, STAGE_MAIL, r)) r->code = 0;
  return 0;
}

/* With the sender's refusal, if there is one, else its own. */
static int judge_recipient(struct packet *p, int ok, const struct policy_reply *sender) {
  struct session *s = p->s;
  struct policy_reply r = {0};
  int accepted, done;

  if (sender->code) return refuse(p, sender->code, sender->enhanced, &sender->text) ? 0 : -1;
  if (!ok || !s->t.recipient.address.len) {
    ++s->c.rcpt_errors;
    return refuse_plainly(p, 553, "5.1.3", "syntax error in the address") ? 0 : -1;
  }
  if (s->t.recipient.eight_bit) return refuse_plainly(p, 553, "5.6.7", NOT_ASCII) ? 0 : -1;
  if (!envelope_name_ourselves(s, &s->t.recipient) || !bounce_tag_take(s->conf, &s->t.recipient, &s->t.tag)) return -1;
  if (!overlay_rcpt_begin(s)) return refuse_plainly(p, 451, "4.3.5", OVERLAY_BAD_RECIPIENT) ? 0 : -1;
  accepted = policy_decide(s, STAGE_RCPT, &r);
  overlay_rcpt_end(s);
  if (accepted) done = envelope_add_recipient(s) && stralloc_append(&p->verdicts, 0);
  else done = refuse(p, r.code, r.enhanced, &r.text);
  if (r.code == 421) s->over = 1;
  stralloc_free(&r.text);
  return done ? 0 : -1;
}

static int take_recipients(struct packet *p, const struct policy_reply *sender) {
  struct session *s = p->s;
  uint64_t outer = UINT64_MAX, left;

  if (netstring_head(&s->in, &outer, &left) != 1) return -1;
  errno = EMSGSIZE;
  if (left > RECIPIENTS_MAX) return -1;
  while (left) {
    int ok = take_address(p, &left, &s->t.recipient);

    session_deadline(s);
    if (ok == -1 || judge_recipient(p, ok, sender) == -1) return -1;
  }
  return netstring_tail(&s->in, &outer);
}

static int take_envelope(struct packet *p) {
  struct policy_reply sender = {0};
  uint64_t left = UINT64_MAX;
  int ok = take_address(p, &left, &p->s->t.sender);
  int r = ok == -1 ? -1 : judge_sender(p, ok, &sender);

  if (r == 0) r = take_recipients(p, &sender);
  stralloc_free(&sender.text);
  return r;
}

/* --- the answer --------------------------------------------------------------------------------- */

/* The message that was held goes to the queue now: 1, or 0 when it cannot. */
static int release(struct packet *p) {
  struct session *s = p->s;
  struct strerr e;

  if (intake_open(&p->in, s, &e) == -1) return 0;
  if (held_read(&p->held, pass_on, p) == -1) {
    intake_abandon(&p->in);
    return 0;
  }
  data_end_chunks(&s->t.data, intake_put, &p->in);
  return 1;
}

/* What becomes of the message. */
static int finish(struct packet *p, struct intake_answer *a) {
  if (!p->holds || release(p)) {
    intake_finish(&p->in, a);
    return 1;
  }
  a->code = 451;
  memcpy(a->enhanced, "4.3.0", sizeof "4.3.0");
  return stralloc_copys(&a->text, "unable to queue mail now");
}

/* No recipient, no message; else what became of it is said to each that was accepted. */
static int answer(struct packet *p) {
  struct session *s = p->s;
  struct intake_answer a = {0};
  stralloc accepted = STRALLOC_INIT, out = STRALLOC_INIT;
  int ok = 1;

  if (s->t.accepted) ok = finish(p, &a);
  else intake_abandon(&p->in);
  if (ok && s->t.accepted) ok = letter_reply(&accepted, a.code, a.enhanced, stralloc_cstr(&a.text));
  for (size_t i = 0; ok && i < p->verdicts.len; ++i) {
    unsigned char v = (unsigned char)p->verdicts.s[i];
    const stralloc *text = v ? &p->text.item[v - 1] : &accepted;

    stralloc_cut(&out, 0);
    ok = netstring_cat(&out, stralloc_cstr(text), text->len) && substdio_put(&s->out, out.s, out.len) == 0;
  }
  intake_answered(&p->in, &a);
  stralloc_free(&accepted);
  stralloc_free(&out);
  return ok ? 0 : -1;
}

/* 1 done, 0 the client has ended, -1 with errno. */
static int packet(struct packet *p) {
  int r;

  session_deadline(p->s);
  r = take_message(p);
  if (r == 1 && (take_envelope(p) == -1 || answer(p) == -1)) r = -1;
  return r;
}

static int serve_packet(struct session *s) {
  struct packet p = {.s = s};
  int r = packet(&p);
  int saved = errno;

  intake_abandon(&p.in);
  held_free(&p.held);
  stralloc_free(&p.verdicts);
  stralloc_free(&p.address);
  strlist_free(&p.text);
  session_reset(s);
  if (r == -1)
    LOG(2, session_prefix(&s->c), smtp_closed, log_s(s->c.ip), log_u(s->c.number),
        log_s(saved == EPROTO ? "not QMTP" : saved == EMSGSIZE ? "too many recipients, or too long an address" : strerror(saved)));
  return r;
}

int qmtp_run(struct session *s) {
  struct policy_reply r = {0};
  int served = 1;

  s->io_in.session = s->io_out.session = deadline_in(SESSION_SECONDS);
  s->state = STATE_MAIL; /* a transaction is always under way: session_reset ends it */
  if (!peer_read_proxy(s) || (conf_flag(s->conf, SET_smtps) && tls_session(s) == -1)) return 1;
  if (!policy_decide(s, STAGE_CONNECT, &r)) s->over = 1;
  stralloc_free(&r.text);
  while (served == 1 && !s->over) {
    s->state = STATE_MAIL;
    served = serve_packet(s);
  }
  session_deadline(s);
  if (served != -1 && substdio_flush(&s->out) == -1) served = -1;
  return served == 0 ? 0 : 1;
}
