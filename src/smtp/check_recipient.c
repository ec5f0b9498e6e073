/* check_recipient: does the recipient exist?  Asked of inlookup, for the virtual
 * domains it knows; accounts of this host (locals) and domains we only pass on are
 * not looked up.  A query that fails is never "no such user". */
#include "smtp/checks.h"

/* Ours to answer for, and wanted by the administrator. */
static int concerned(const struct conf *conf, const struct smtp_path *p) {
  const struct strlist *domains = conf_lines(conf, SET_virtualdomains);
  size_t n;
  const char *domain = smtp_path_domain(p, &n);

  if (!n || conf_has(conf_lines(conf, SET_locals), domain, n)) return 0;
  if (conf_isset(conf, SET_chkrcptdomains) && !conf_has_domain(conf_lines(conf, SET_chkrcptdomains), domain, n)) return 0;
  /* An address with a line of its own goes wherever that line says. */
  if (conf_map(domains, p->address.s, p->address.len)) return 0;
  return conf_map_domain(domains, domain, n) != 0;
}

static enum verdict by_state(enum lookup_state state, struct policy_reply *r) {
  switch (state) {
    case LOOKUP_ACTIVE:
    case LOOKUP_ALIAS: break;
    case LOOKUP_INACTIVE: return policy_say(r, VERDICT_REJECT, 550, "5.2.1", "this mailbox is not active");
    case LOOKUP_OVERQUOTA: return policy_say(r, VERDICT_REJECT, 552, "5.2.2", "this mailbox is full");
  }
  return VERDICT_NEXT;
}

/* A virtual domain need not be one of the user database. */
static enum verdict unknown(const struct connection *c, const char *domain, deadline when, struct policy_reply *r) {
  stralloc real = STRALLOC_INIT;
  struct strerr e;
  enum verdict verdict = VERDICT_NEXT;

  switch (lookup_domain(c->lookup, domain, when, &real, &e)) {
    case LOOKUP_FOUND:
      r->penalty = 1;
      verdict = policy_say(r, VERDICT_REJECT, 550, "5.1.1", "no such mailbox here");
      break;
    case LOOKUP_NONE: break;
    case LOOKUP_TEMPFAIL: verdict = policy_say(r, VERDICT_FAILED, 0, "", e.text); break;
  }
  stralloc_free(&real);
  return verdict;
}

enum verdict check_recipient(const struct connection *c, const struct transaction *t, const struct conf *conf,
                             struct policy_reply *r) {
  deadline when = deadline_in((int64_t)conf_number(conf, SET_timeoutread));
  enum lookup_state state = LOOKUP_ACTIVE;
  struct strerr e;
  size_t n;

  if (!conf_number(conf, SET_checkrecipient) || !concerned(conf, &t->recipient)) return VERDICT_NEXT;
  switch (lookup_user(c->lookup, t->recipient.address.s, when, &state, &e)) {
    case LOOKUP_FOUND: return by_state(state, r);
    case LOOKUP_NONE: return unknown(c, smtp_path_domain(&t->recipient, &n), when, r);
    case LOOKUP_TEMPFAIL: break;
  }
  return policy_say(r, VERDICT_FAILED, 0, "", e.text);
}
