/* check_batv: a bounce to an address that never sent anything (mail/batv.h).  The tag has been taken off
 * the recipient already (smtp/bounce_tag.h). */
#include <string.h>

#include "base/bytes.h"
#include "smtp/checks.h"
#include "smtp/our_domains.h"

static int is_bounce(const stralloc *sender) {
  return !sender->len || bytes_casestarts(sender->s, sender->len, "mailer-daemon@");
}

/* Somebody must be able to write to postmaster, whatever else goes wrong (RFC 5321 4.5.1). */
static int is_postmaster(const struct smtp_path *p) {
  return p->at == 10 && bytes_caseequal(p->address.s, "postmaster", 10);
}

static enum verdict without_tag(const struct connection *c, const struct transaction *t, const struct conf *conf,
                                struct policy_reply *r) {
  size_t n;
  const char *domain = smtp_path_domain(&t->recipient, &n);
  int ours;

  if (!is_bounce(&t->sender.address) || is_postmaster(&t->recipient)) return VERDICT_NEXT;
  if (conf_has_domain(conf_lines(conf, SET_batvnosignlocals), domain, n) ||
      conf_has_domain(conf_lines(conf, SET_batvnosignremote), c->host, strlen(c->host)))
    return VERDICT_NEXT;
  ours = our_domains_has(conf, domain, n);
  if (ours == -1) return policy_say(r, VERDICT_FAILED, 0, "", "unable to read morercpthosts.cdb");
  return ours ? policy_say(r, VERDICT_REJECT, 553, "5.7.1", "this address has sent nothing that could bounce") : VERDICT_NEXT;
}

enum verdict check_batv(const struct connection *c, const struct transaction *t, const struct conf *conf,
                        struct policy_reply *r) {
  if (!conf_lines(conf, SET_batvkey)->len) return VERDICT_NEXT;
  switch (t->tag) {
    case BATV_NONE: return without_tag(c, t, conf, r);
    case BATV_GOOD:
    case BATV_NO_MEMORY: break;
    case BATV_STALE: return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "that was sent too long ago to bounce now");
    case BATV_BAD: return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "the tag of this address is not one of ours");
  }
  return VERDICT_NEXT;
}
