/* verb_bdat: BDAT (RFC 3030): the message in parts, whose sizes the client says.
 *
 * Whatever becomes of a part, exactly as many bytes are read as the command says: those behind it
 * are the next command, and those in it never are. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/scan.h"
#include "smtp/intake.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"


int ehlo_chunking(const struct session *s, stralloc *more) {
  return !conf_flag(s->conf, SET_disable_chunking);
}

int ehlo_binarymime(const struct session *s, stralloc *more) {
  return ehlo_chunking(s, more) && conf_flag(s->conf, SET_binarymime);
}

struct chunk {
  uint64_t size;
  int last;
};

/* "SIZE" or "SIZE LAST". */
static int parse(const char *arg, size_t n, struct chunk *c) {
  static const char last[] = "LAST";
  size_t digits = bytes_chr(arg, n, ' ');

  if (!scan_u64(arg, digits, &c->size)) return 0;
  while (digits < n && arg[digits] == ' ') ++digits;
  c->last = n - digits == sizeof last - 1 && bytes_casestarts(arg + digits, n - digits, last);
  return c->last || digits == n;
}

/* Reads the part, for the message, or to drop it when there is none: 1, or 0 when the session is
 * over. */
static int take(struct session *s, uint64_t size, struct intake *in) {
  size_t block = 0;

  session_deadline(s);
  if (in && size >= SESSION_WIDE_FROM) session_widen(s);
  while (size) {
    size_t n = session_more(s, &block);

    if (!n) return 0;
    if (n > size) n = (size_t)size;
    if (in) intake_chunk(in, substdio_peek(&s->in), n);
    substdio_take(&s->in, n);
    block += n;
    size -= n;
  }
  return 1;
}

/* Why no message can begin now; the part has been read. */
static void refuse(struct session *s) {
  static const struct {
    enum session_state state;
    const char *text;
  } why[] = {
      {STATE_REFUSED, "service refused; only QUIT makes sense"},
      {STATE_NEW, "say EHLO first"},
      {STATE_READY, "say MAIL first"},
      {STATE_MAIL, "say RCPT first"},
  };

  for (size_t i = 0; i < sizeof why / sizeof *why; ++i)
    if (why[i].state == s->state) reply_refuse(s, 503, "5.5.1", why[i].text);
}

static struct intake *begin(struct session *s, struct strerr *e) {
  struct intake *in = malloc(sizeof *in);

  strerr_set(e, "out of memory", (char *)0);
  if (in && intake_open(in, s, e) == 0) return in;
  if (!in) LOG(2, session_prefix(&s->c), warning, log_s("out of memory"));
  free(in);
  return 0;
}

/* Each part has one reply, but the last of LMTP. */
static size_t replies(const struct session *s, const struct chunk *c) {
  return c->last ? verbs_replies(s) : 1;
}

static void cannot_queue(struct session *s, const struct chunk *c, const struct strerr *e) {
  if (!take(s, c->size, 0)) return;
  for (size_t n = replies(s, c); n && !s->over; --n) intake_not_opened(s, e);
  session_reset(s);
}

/* Another part of the message has come, the last one or one more. */
static void taken(struct session *s, const struct chunk *c) {
  struct intake *in = s->t.chunks;

  if (c->last) intake_end_chunks(in);
  if (c->last || intake_doomed(in)) {
    verbs_message_end(in, replies(s, c));
    session_reset(s);
    return;
  }
  reply(s, 250, "2.0.0", "received");
}

void verb_bdat(struct session *s, const char *arg, size_t n) {
  struct strerr e;
  struct chunk c;

  if (!ehlo_chunking(s, 0) || !parse(arg, n, &c)) { /* nobody knows where the next command begins */
    LOG(2, session_prefix(&s->c), smtp_closed, log_s(s->c.ip), log_u(s->c.number), log_s("BDAT of unknown size"));
    reply(s, ehlo_chunking(s, 0) ? 501 : 502, "5.5.4", "that is no BDAT we can follow, goodbye");
    s->over = 1;
    return;
  }
  if (!(s->state & (STATE_RCPT | STATE_CHUNK))) {
    if (take(s, c.size, 0)) refuse(s);
    return;
  }
  if (!s->t.chunks && !(s->t.chunks = begin(s, &e))) {
    cannot_queue(s, &c, &e);
    return;
  }
  s->state = STATE_CHUNK;
  if (take(s, c.size, s->t.chunks)) taken(s, &c);
}
