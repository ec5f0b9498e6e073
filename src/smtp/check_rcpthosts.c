/* check_rcpthosts: no relaying.  Mail is taken for the domains of rcpthosts and
 * morercpthosts.cdb and no others; without either file, for none.  An address without
 * a domain is this host's own. */
#include "smtp/checks.h"
#include "smtp/our_domains.h"

enum verdict check_rcpthosts(const struct connection *c, const struct transaction *t, const struct conf *conf,
                             struct policy_reply *r) {
  size_t n;
  const char *domain = smtp_path_domain(&t->recipient, &n);
  int ours = (t->marks | r->marks) & MARK_RELAY ? 1 : our_domains_has(conf, domain, n);

  if (ours == 1) return VERDICT_NEXT;
  if (ours == -1) return policy_say(r, VERDICT_FAILED, 0, "", "unable to read morercpthosts.cdb");
  return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "no relaying: that domain is not one of ours");
}
