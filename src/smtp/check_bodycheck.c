/* check_bodycheck: a line of the message matched a rule of bodycheck(5). */
#include "smtp/checks.h"

enum verdict check_bodycheck(const struct connection *c, const struct transaction *t, const struct conf *conf,
                             struct policy_reply *r) {
  size_t rule = t->content.rule;
  const struct body_rule *matched = rule ? &c->content_rules->body.rule[rule - 1] : 0;

  if (!matched && t->content.rule_failed) return policy_say(r, VERDICT_FAILED, 0, "", "an expression of bodycheck takes too long");
  if (!matched) return VERDICT_NEXT;
  if (matched->blackhole) return VERDICT_DISCARD;
  return policy_say(r, VERDICT_REJECT, 552, "5.7.1",
                    matched->comment.len ? matched->comment.s : "this message has something that is not accepted here");
}
