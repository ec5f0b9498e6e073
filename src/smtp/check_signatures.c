/* check_signatures: a part of the message begins as an attachment does that signatures(5) lists. */
#include "smtp/checks.h"

enum verdict check_signatures(const struct connection *c, const struct transaction *t, const struct conf *conf,
                              struct policy_reply *r) {
  size_t found = t->content.signature;
  const struct signature *g = found ? &c->content_rules->signatures.one[found - 1] : 0;

  if (!g) return VERDICT_NEXT;
  if (g->blackhole) return VERDICT_DISCARD;
  return policy_say(r, VERDICT_REJECT, 552, "5.7.1", g->comment.len ? g->comment.s : "this message has an attachment that is not accepted here");
}
