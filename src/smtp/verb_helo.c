/* verb_helo: HELO and EHLO (RFC 5321 4.1.1.1), and LHLO in their place (RFC 2033 4.1). */
#include <string.h>

#include "base/bytes.h"
#include "smtp/policy.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"

/* A client that says no name is taken by the one its address has. */
static int greeted(struct session *s, const char *arg, size_t n, int extended, int lmtp) {
  int ok;

  if ((s->c.speaks == SPEAKS_LMTP) != lmtp) {
    reply_refuse(s, 500, "5.5.1", lmtp ? "this is SMTP: say EHLO" : "this is LMTP: say LHLO");
    return 0;
  }
  if (n > SMTP_DOMAIN_MAX) {
    reply_refuse(s, 501, "5.5.4", "that is too long for a name");
    return 0;
  }
  ok = n ? stralloc_copyb(&s->c.helo, arg, n) : stralloc_copys(&s->c.helo, s->c.host);
  if (!ok) {
    reply_close(s, "4.3.0", "out of memory");
    return 0;
  }
  session_reset(s);
  s->c.extended = extended;
  s->state = STATE_READY;
  if (policy_run(s, STAGE_HELO)) return 1;
  stralloc_cut(&s->c.helo, 0);
  s->state = STATE_NEW;
  return 0;
}

/* Our name: the first word of the greeting. */
static void reply_name(struct session *s, int last) {
  const struct strlist *l = conf_lines(s->conf, SET_smtpgreeting);
  stralloc name = STRALLOC_INIT;

  if (l->len && !stralloc_copyb(&name, l->item[0].s, bytes_chr(l->item[0].s, l->item[0].len, ' '))) s->over = 1;
  reply_line(s, 250, 0, last, stralloc_cstr(&name));
  stralloc_free(&name);
}

void verb_helo(struct session *s, const char *arg, size_t n) {
  if (greeted(s, arg, n, 0, 0)) reply_name(s, 1);
}

void verb_lhlo(struct session *s, const char *arg, size_t n) {
  if (!greeted(s, arg, n, 1, 1)) return;
  reply_name(s, 0);
  verbs_ehlo(s);
}

void verb_ehlo(struct session *s, const char *arg, size_t n) {
  if (!greeted(s, arg, n, 1, 0)) return;
  reply_name(s, 0);
  verbs_ehlo(s);
}
