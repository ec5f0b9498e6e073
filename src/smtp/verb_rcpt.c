/* verb_rcpt: RCPT (RFC 5321 4.1.1.3). */
#include "smtp/bounce_tag.h"
#include "smtp/envelope.h"
#include "smtp/overlay.h"
#include "smtp/policy.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"

static int judge(struct session *s, const char *arg, size_t n) {
  const char *rest;
  size_t rest_n;
  int pass;

  stralloc_cut(&s->t.notify, 0);
  if (!envelope_path(s, arg, n, "TO:", &s->t.recipient, "5.1.3", &rest, &rest_n)) return 0;
  if (!s->t.recipient.address.len) {
    reply_refuse(s, 501, "5.1.3", "a recipient cannot be empty");
    return 0;
  }
  if (!verbs_parameters(s, "RCPT", rest, rest_n)) return 0;
  if (!envelope_international(s, &s->t.recipient, "5.1.3")) return 0;
  if (!envelope_name_ourselves(s, &s->t.recipient) || !bounce_tag_take(s->conf, &s->t.recipient, &s->t.tag)) {
    reply_close(s, "4.3.0", "out of memory");
    return 0;
  }
  if (!overlay_rcpt_begin(s)) {
    reply(s, 451, "4.3.5", OVERLAY_BAD_RECIPIENT);
    return 0;
  }
  pass = policy_run(s, STAGE_RCPT);
  overlay_rcpt_end(s);
  return pass;
}

void verb_rcpt(struct session *s, const char *arg, size_t n) {
  if (!judge(s, arg, n)) return;
  if (!envelope_add_recipient(s)) {
    reply_close(s, "4.3.0", "out of memory");
    return;
  }
  s->state = STATE_RCPT;
  reply(s, 250, "2.1.5", "recipient ok");
}
