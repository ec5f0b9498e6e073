/* check_authdomains: senders of these domains, or with AUTH_ALL everybody, must have logged
 * in. */
#include <string.h>

#include "mail/addrset.h"
#include "smtp/checks.h"

/* $AUTH_DOMAINS: a list with other things than line ends between its lines. */
static enum verdict in_variable(const struct conf *conf, const char *domain, size_t n, struct policy_reply *r) {
  const char *text = conf_line(conf, SET_auth_domains);
  struct addrset set = {0};
  struct strerr e;
  int failed = 0;
  enum verdict verdict = VERDICT_NEXT;

  for (size_t len; *text && !failed; text += len + (text[len] != 0)) {
    len = strcspn(text, ",:\n");
    failed = addrset_add(&set, "$AUTH_DOMAINS", text, len, &e) == -1;
  }
  if (failed) verdict = policy_say(r, VERDICT_FAILED, 0, "", e.text);
  else if (addrset_find(&set, ADDRSET_NAME, domain, n) == ADDRSET_IN) verdict = VERDICT_ACCEPT;
  addrset_free(&set);
  return verdict;
}

static enum verdict listed(const struct connection *c, const struct transaction *t, const struct conf *conf,
                           struct policy_reply *r) {
  struct strerr e;
  size_t n;
  const char *domain = smtp_path_domain(&t->sender, &n);

  if (conf_flag(conf, SET_auth_all)) return VERDICT_ACCEPT;
  if (!n) return VERDICT_NEXT;
  switch (list_match(c->lists, LIST_authdomains, domain, n, c->lookup, &e)) {
    case LIST_NO: break;
    case LIST_YES: return VERDICT_ACCEPT;
    case LIST_FAILED: return policy_say(r, VERDICT_FAILED, 0, "", e.text);
  }
  return *conf_line(conf, SET_auth_domains) ? in_variable(conf, domain, n, r) : VERDICT_NEXT;
}

enum verdict check_authdomains(const struct connection *c, const struct transaction *t, const struct conf *conf,
                               struct policy_reply *r) {
  enum verdict verdict = c->authenticated ? VERDICT_NEXT : listed(c, t, conf, r);

  if (verdict != VERDICT_ACCEPT) return verdict;
  return policy_say(r, VERDICT_REJECT, 530, "5.7.0", "authentication required for this sender");
}
