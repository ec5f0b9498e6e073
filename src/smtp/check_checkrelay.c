/* check_checkrelay: somebody has logged in to read mail from the client's address, so it may relay. */
#include "smtp/checks.h"

enum verdict check_checkrelay(const struct connection *c, const struct transaction *t, const struct conf *conf,
                              struct policy_reply *r) {
  stralloc user = STRALLOC_INIT;
  enum verdict verdict = VERDICT_NEXT;
  struct strerr e;

  if (!conf_flag(conf, SET_checkrelay) || !*c->ip || !c->lookup) return VERDICT_NEXT;
  switch (lookup_relay(c->lookup, c->ip, deadline_in((int64_t)conf_number(conf, SET_timeoutread)), &user, &e)) {
    case LOOKUP_FOUND: r->marks |= MARK_RELAY; break;
    case LOOKUP_NONE: break;
    case LOOKUP_TEMPFAIL: verdict = policy_say(r, VERDICT_FAILED, 0, "", e.text); break;
  }
  stralloc_free(&user);
  return verdict;
}
