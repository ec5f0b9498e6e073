/* verb_vrfy: VRFY and EXPN (RFC 5321 3.5.3): neither yes nor no, so that nobody can collect
 * addresses. */
#include "smtp/reply.h"
#include "smtp/verbs.h"

void verb_vrfy(struct session *s, const char *arg, size_t n) {
  if (conf_flag(s->conf, SET_disable_vrfy)) reply_refuse(s, 502, "5.5.1", "VRFY is switched off");
  else if (!n) reply_refuse(s, 501, "5.5.4", "VRFY wants an address");
  else reply(s, 252, "2.7.0", "send it mail and see");
}

void verb_expn(struct session *s, const char *arg, size_t n) {
  reply_refuse(s, 502, "5.5.1", "lists are not told");
}
