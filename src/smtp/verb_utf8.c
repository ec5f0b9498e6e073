/* verb_utf8: SMTPUTF8 (RFC 6531), a parameter of MAIL. */
#include "smtp/envelope.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"

int ehlo_smtputf8(const struct session *s, stralloc *more) {
  return conf_flag(s->conf, SET_smtputf8) && qqclient_takes_dsn(s->env);
}

int parameter_smtputf8(struct session *s, const struct smtp_parameter *p) {
  if (!ehlo_smtputf8(s, 0)) {
    reply_refuse(s, 555, "5.5.4", "SMTPUTF8 is not offered here");
    return 0;
  }
  s->t.utf8 = 1;
  return p->value ? envelope_bad(s, "SMTPUTF8 takes no value") : envelope_ask(s, "SMTPUTF8", 8, "SMTPUTF8 comes once");
}
