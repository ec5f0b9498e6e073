/* check_recipient: does the recipient exist?  CHECKRECIPIENT says who knows: 1 inlookup, for the
 * virtual domains of the user database; 3 the file control/recipients; 2 that one, and then
 * inlookup.  Only recipients in our domains are looked up.  A look-up that fails is never "no such
 * user". */
#include "smtp/checks.h"
#include "smtp/our_domains.h"
#include "smtp/recipients.h"
#include "smtp/user_exists.h"

#define BY_BOTH 2
#define BY_FILE 3

/* Wanted by the administrator: 1, 0, -1 with the reply filled. */
static int is_wanted(const struct connection *c, const struct smtp_path *p, struct policy_reply *r) {
  struct strerr e;
  size_t n;
  const char *domain = smtp_path_domain(p, &n);

  if (!list_is_there(c->lists, LIST_chkrcptdomains)) return 1;
  switch (list_match(c->lists, LIST_chkrcptdomains, domain, n, c->lookup, &e)) {
    case LIST_NO: return 0;
    case LIST_YES: return 1;
    case LIST_FAILED: policy_say(r, VERDICT_FAILED, 0, "", e.text); break;
  }
  return -1;
}

static enum verdict no_such(struct policy_reply *r) {
  r->penalty = 1;
  return policy_say(r, VERDICT_REJECT, 550, "5.1.1", "no such mailbox here");
}

static enum verdict by_database(const struct connection *c, const struct transaction *t, const struct conf *conf,
                                struct policy_reply *r) {
  struct strerr e;

  switch (user_exists(c->lookup, conf, &t->recipient, &e)) {
    case USER_YES:
    case USER_UNKNOWN: return VERDICT_NEXT;
    case USER_NO: return no_such(r);
    case USER_INACTIVE: return policy_say(r, VERDICT_REJECT, 550, "5.2.1", "this mailbox is not active");
    case USER_OVERQUOTA: return policy_say(r, VERDICT_REJECT, 552, "5.2.2", "this mailbox is full");
    case USER_FAILED: break;
  }
  return policy_say(r, VERDICT_FAILED, 0, "", e.text);
}

/* With both, whoever the file does not know may be in the database; whom neither can know is let
 * in only where the file says nothing about his domain. */
static enum verdict by_file(const struct connection *c, const struct transaction *t, const struct conf *conf, int both,
                            struct policy_reply *r) {
  struct strerr e;
  enum recipients_verdict said = recipients_ask(conf_lines(conf, SET_recipients), &t->recipient, &e);

  if (said == RECIPIENTS_YES) return VERDICT_NEXT;
  if (said == RECIPIENTS_FAILED) return policy_say(r, VERDICT_FAILED, 0, "", e.text);
  if (both && user_is_virtual(conf, &t->recipient)) return by_database(c, t, conf, r);
  return both && said == RECIPIENTS_UNSAID ? VERDICT_NEXT : no_such(r);
}

static enum verdict look_up(const struct connection *c, const struct transaction *t, const struct conf *conf, uint64_t how,
                            struct policy_reply *r) {
  size_t n;
  const char *domain = smtp_path_domain(&t->recipient, &n);
  int ours;

  if (how != BY_BOTH && how != BY_FILE) return user_is_virtual(conf, &t->recipient) ? by_database(c, t, conf, r) : VERDICT_NEXT;
  ours = n ? our_domains_has(conf, domain, n) : 0;
  if (ours == -1) return policy_say(r, VERDICT_FAILED, 0, "", "unable to read morercpthosts.cdb");
  return ours ? by_file(c, t, conf, how == BY_BOTH, r) : VERDICT_NEXT;
}

enum verdict check_recipient(const struct connection *c, const struct transaction *t, const struct conf *conf,
                             struct policy_reply *r) {
  uint64_t how = conf_number(conf, SET_checkrecipient);
  int wanted = how ? is_wanted(c, &t->recipient, r) : 0;

  if (wanted == 1) return look_up(c, t, conf, how, r);
  return wanted == 0 ? VERDICT_NEXT : VERDICT_FAILED;
}
