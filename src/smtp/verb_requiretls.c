/* verb_requiretls: REQUIRETLS (RFC 8689), a parameter of MAIL: the message goes on by verified TLS or
 * not at all. */
#include "smtp/envelope.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"

int ehlo_requiretls(const struct session *s, stralloc *more) {
  return s->c.tls && conf_flag(s->conf, SET_requiretls) && qqclient_takes_dsn(s->env);
}

int parameter_requiretls(struct session *s, const struct smtp_parameter *p) {
  static const char name[] = "REQUIRETLS";

  if (!ehlo_requiretls(s, 0)) {
    reply_refuse(s, 555, "5.5.4", "REQUIRETLS is not offered here");
    return 0;
  }
  s->t.requiretls = 1;
  return p->value ? envelope_bad(s, "REQUIRETLS takes no value") : envelope_ask(s, name, sizeof name - 1, "REQUIRETLS comes once");
}
