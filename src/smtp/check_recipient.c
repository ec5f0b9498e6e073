/* check_recipient: does the recipient exist?  Asked of inlookup, for the virtual
 * domains it knows; accounts of this host (locals) and domains we only pass on are
 * not looked up.  A query that fails is never "no such user". */
#include "smtp/checks.h"
#include "smtp/user_exists.h"

/* Ours to answer for, and wanted by the administrator: 1, 0, -1 with the reply filled. */
static int concerned(const struct connection *c, const struct conf *conf, const struct smtp_path *p, struct policy_reply *r) {
  struct strerr e;
  size_t n;
  const char *domain = smtp_path_domain(p, &n);

  if (!user_is_virtual(conf, p)) return 0;
  if (!list_is_there(c->lists, LIST_chkrcptdomains)) return 1;
  switch (list_match(c->lists, LIST_chkrcptdomains, domain, n, &e)) {
    case LIST_NO: return 0;
    case LIST_YES: return 1;
    case LIST_FAILED: policy_say(r, VERDICT_FAILED, 0, "", e.text); break;
  }
  return -1;
}

static enum verdict by_database(const struct connection *c, const struct transaction *t, const struct conf *conf,
                                struct policy_reply *r) {
  struct strerr e;

  switch (user_exists(c->lookup, conf, &t->recipient, &e)) {
    case USER_YES:
    case USER_UNKNOWN: return VERDICT_NEXT;
    case USER_NO:
      r->penalty = 1;
      return policy_say(r, VERDICT_REJECT, 550, "5.1.1", "no such mailbox here");
    case USER_INACTIVE: return policy_say(r, VERDICT_REJECT, 550, "5.2.1", "this mailbox is not active");
    case USER_OVERQUOTA: return policy_say(r, VERDICT_REJECT, 552, "5.2.2", "this mailbox is full");
    case USER_FAILED: break;
  }
  return policy_say(r, VERDICT_FAILED, 0, "", e.text);
}

enum verdict check_recipient(const struct connection *c, const struct transaction *t, const struct conf *conf,
                             struct policy_reply *r) {
  int ours = conf_number(conf, SET_checkrecipient) ? concerned(c, conf, &t->recipient, r) : 0;

  if (ours == 1) return by_database(c, t, conf, r);
  return ours == 0 ? VERDICT_NEXT : VERDICT_FAILED;
}
