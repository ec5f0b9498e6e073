/* verb_mail: MAIL (RFC 5321 4.1.1.2) and its parameters. */
#include <string.h>

#include "base/bytes.h"
#include "base/scan.h"
#include "smtp/envelope.h"
#include "smtp/overlay.h"
#include "smtp/policy.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"

int ehlo_size(const struct session *s, stralloc *more) {
  uint64_t max = conf_number(s->conf, SET_databytes);

  return !max || (stralloc_append(more, ' ') && stralloc_catu64(more, max));
}

int parameter_size(struct session *s, const struct smtp_parameter *p) {
  if (p->value && scan_u64(p->value, p->value_n, &s->t.size)) return 1;
  reply_refuse(s, 501, "5.5.4", "SIZE= wants a number");
  return 0;
}

int parameter_body(struct session *s, const struct smtp_parameter *p) {
  static const char *const known[] = {"7BIT", "8BITMIME", "BINARYMIME"};
  size_t kinds = ehlo_binarymime(s, 0) ? 3 : 2;

  for (size_t i = 0; p->value && i < kinds; ++i) {
    if (strlen(known[i]) != p->value_n || !bytes_caseequal(p->value, known[i], p->value_n)) continue;
    s->t.binary = i == 2;
    return 1;
  }
  reply_refuse(s, 501, "5.5.4", kinds == 3 ? "BODY= wants 7BIT, 8BITMIME or BINARYMIME" : "BODY= wants 7BIT or 8BITMIME");
  return 0;
}

/* Whoever we do not know can say anything here. */
int parameter_auth(struct session *s, const struct smtp_parameter *p) {
  if (p->value) return 1;
  reply_refuse(s, 501, "5.5.4", "AUTH= wants an address or <>");
  return 0;
}

static int begin(struct session *s, const char *arg, size_t n) {
  const char *rest;
  size_t rest_n;

  if (!envelope_path(s, arg, n, "FROM:", &s->t.sender, "5.1.7", &rest, &rest_n)) return 0;
  if (!verbs_parameters(s, "MAIL", rest, rest_n)) return 0;
  if (!envelope_international(s, &s->t.sender, "5.1.7")) return 0;
  if (!envelope_complete_sender(s)) {
    reply_close(s, "4.3.0", "out of memory");
    return 0;
  }
  if (overlay_begin(s)) return policy_run(s, STAGE_MAIL);
  reply(s, 451, "4.3.5", OVERLAY_BAD_SENDER);
  return 0;
}

void verb_mail(struct session *s, const char *arg, size_t n) {
  if (!begin(s, arg, n)) {
    session_reset(s);
    session_next_message(s);
    return;
  }
  s->state = STATE_MAIL;
  reply(s, 250, "2.1.0", "sender ok");
}
