/* verb_starttls: STARTTLS (RFC 3207). */
#include "smtp/reply.h"
#include "smtp/tls.h"
#include "smtp/verbs.h"

int ehlo_starttls(const struct session *s, stralloc *more) {
  return !s->c.tls && conf_flag(s->conf, SET_starttls) && tls_available();
}

void verb_starttls(struct session *s, const char *arg, size_t n) {
  if (n) reply_refuse(s, 501, "5.5.4", "STARTTLS takes nothing");
  else if (s->c.tls) reply_refuse(s, 503, "5.5.1", "TLS is there already");
  else if (!conf_flag(s->conf, SET_starttls)) reply_refuse(s, 502, "5.5.1", "STARTTLS is switched off");
  else if (!tls_available()) reply_refuse(s, 454, "4.7.0", "TLS is not available now");
  else {
    reply(s, 220, "2.0.0", "go ahead");
    reply_flush(s);
    (void)!tls_session(s);
  }
}
