/* verb_noop: NOOP (RFC 5321 4.1.1.9); what stands behind it is ignored. */
#include "smtp/reply.h"
#include "smtp/verbs.h"

void verb_noop(struct session *s, const char *arg, size_t n) {
  reply(s, 250, "2.0.0", "ok");
}
