/* check_checkrelay: somebody has logged in to read mail from the client's address, so it may relay.  Asked
 * only where that matters, for a recipient elsewhere: with the user database away, mail for our own domains
 * comes in all the same. */
#include "smtp/checks.h"
#include "smtp/our_domains.h"

enum verdict check_checkrelay(const struct connection *c, const struct transaction *t, const struct conf *conf,
                              struct policy_reply *r) {
  stralloc user = STRALLOC_INIT;
  enum verdict verdict = VERDICT_NEXT;
  struct strerr e;
  const char *domain;
  size_t n;

  if (!conf_flag(conf, SET_checkrelay) || !*c->ip || !c->lookup || t->marks & MARK_RELAY) return VERDICT_NEXT;
  domain = smtp_path_domain(&t->recipient, &n);
  if (our_domains_has(conf, domain, n) == 1) return VERDICT_NEXT;
  switch (lookup_relay(c->lookup, c->ip, deadline_in((int64_t)conf_number(conf, SET_timeoutread)), &user, &e)) {
    case LOOKUP_FOUND: r->marks |= MARK_RELAY; break;
    case LOOKUP_NONE: break;
    case LOOKUP_TEMPFAIL: verdict = policy_say(r, VERDICT_FAILED, 0, "", e.text); break;
  }
  stralloc_free(&user);
  return verdict;
}
