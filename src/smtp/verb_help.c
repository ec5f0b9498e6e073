/* verb_help: HELP (RFC 5321 4.1.1.8). */
#include "smtp/reply.h"
#include "smtp/verbs.h"

int ehlo_help(const struct session *s, stralloc *more) {
  return !conf_flag(s->conf, SET_disable_help);
}

void verb_help(struct session *s, const char *arg, size_t n) {
  if (conf_flag(s->conf, SET_disable_help)) reply_refuse(s, 502, "5.5.1", "HELP is switched off");
  else verbs_help(s);
}
