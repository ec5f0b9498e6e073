/* verb_help: HELP (RFC 5321 4.1.1.8). */
#include "smtp/reply.h"
#include "smtp/verbs.h"

int ehlo_help(const struct session *s, stralloc *more) {
  return !conf_flag(s->conf, SET_disable_help);
}

void verb_help(struct session *s, const char *arg, size_t n) {
  const char *meaning = n ? verbs_meaning(arg, n) : 0;

  if (conf_flag(s->conf, SET_disable_help)) reply_refuse(s, 502, "5.5.1", "HELP is switched off");
  else if (!n) verbs_help(s);
  else if (meaning) reply(s, 214, "2.0.0", meaning);
  else reply_refuse(s, 504, "5.5.4", "no help about that");
}
