/* verb_quit: QUIT (RFC 5321 4.1.1.10). */
#include "smtp/reply.h"
#include "smtp/verbs.h"

void verb_quit(struct session *s, const char *arg, size_t n) {
  if (n) {
    reply_refuse(s, 501, "5.5.4", "QUIT takes nothing");
    return;
  }
  reply(s, 221, "2.0.0", "goodbye");
  if (!s->over) s->over = SESSION_QUIT;
}
