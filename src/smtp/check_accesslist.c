/* check_accesslist: rules of the file accesslist, see smtp/accesslist.h. */
#include "smtp/accesslist.h"
#include "smtp/checks.h"

enum verdict check_accesslist(const struct connection *c, const struct transaction *t, const struct conf *conf,
                              struct policy_reply *r) {
  const struct accesslist_question q = {conf_lines(conf, SET_accesslist), conf_flag(conf, SET_qregex), &t->sender.address, &t->recipient};
  const char *rule;
  struct strerr e;

  switch (accesslist_ask(&q, &rule, &e)) {
    case ACCESSLIST_ALLOWED: break;
    case ACCESSLIST_DENIED: return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "you may not write to this recipient");
    case ACCESSLIST_FAILED: return policy_say(r, VERDICT_FAILED, 0, "", e.text);
  }
  return VERDICT_NEXT;
}
