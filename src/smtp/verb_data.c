/* verb_data: DATA (RFC 5321 4.1.1.4), and what BDAT shares with it. */
#include "smtp/intake.h"
#include "smtp/policy.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"

/* Takes the message: 1 at its end; 0 when the session is over. */
static int take_message(struct intake *in) {
  struct session *s = in->s;
  size_t block = 0;

  for (;;) {
    enum data_verdict verdict;
    size_t n = session_more(s, &block);
    size_t used;

    if (!n) return 0;
    verdict = data_feed(&s->t.data, substdio_peek(&s->in), n, &used, intake_put, in);
    substdio_take(&s->in, used);
    if (verdict == DATA_END) return 1;
    if (verdict == DATA_AMBIGUOUS) { /* check_lineends refuses it, and we hang up */
      (void)!policy_run(s, STAGE_DATA);
      s->over = 1;
      return 0;
    }
    block += used;
  }
}

/* LMTP says what became of it once for each recipient that was accepted (RFC 2033 4.2). */
size_t verbs_replies(const struct session *s) {
  return s->c.speaks == SPEAKS_LMTP ? s->t.accepted : 1;
}

void verbs_message_end(struct intake *in, size_t replies) {
  struct session *s = in->s;
  struct intake_answer a;

  intake_finish(in, &a);
  for (size_t i = 0; i < replies && !s->over; ++i) reply(s, a.code, a.enhanced, stralloc_cstr(&a.text));
  if (!s->over) reply_flush(s); /* RFC 1047: the client learns at once that we have it */
  if (a.code == 421) s->over = 1;
  intake_answered(in, &a);
}

void verb_data(struct session *s, const char *arg, size_t n) {
  struct intake in;
  struct strerr e;

  if (s->t.binary) {
    reply_refuse(s, 503, "5.5.1", "BODY=BINARYMIME comes by BDAT");
    return;
  }
  if (n) {
    reply_refuse(s, 501, "5.5.4", "DATA takes nothing");
    return;
  }
  if (intake_open(&in, s, &e) == -1) {
    intake_not_opened(s, &e);
    return;
  }
  reply(s, 354, 0, "send the message, end it with a dot alone on a line");
  session_deadline(s);
  if (take_message(&in)) verbs_message_end(&in, verbs_replies(s));
  else intake_abandon(&in);
  session_reset(s);
}
