/* verb_rset: RSET (RFC 5321 4.1.1.5). */
#include "smtp/reply.h"
#include "smtp/verbs.h"

void verb_rset(struct session *s, const char *arg, size_t n) {
  if (n) {
    reply_refuse(s, 501, "5.5.4", "RSET takes nothing");
    return;
  }
  session_reset(s);
  reply(s, 250, "2.0.0", "forgotten");
}
