/* check_dnscheck: with dnscheck set, mail could be sent to the sender's domain: it has an MX, or
 * an address, and no null MX (RFC 7505).  Our own domains need no looking up. */
#include "smtp/checks.h"
#include "smtp/dns_name.h"
#include "smtp/our_domains.h"

static int is_ours(const struct conf *conf, const char *domain, size_t n) {
  return conf_has(conf_lines(conf, SET_locals), domain, n) || our_domains_has(conf, domain, n) == 1;
}

enum verdict check_dnscheck(const struct connection *c, const struct transaction *t, const struct conf *conf,
                            struct policy_reply *r) {
  struct strerr e;
  size_t n;
  const char *domain = smtp_path_domain(&t->sender, &n);
  enum verdict excepted;

  if (!policy_looks_in_dns(conf) || !n || t->sender.ip.family || is_ours(conf, domain, n)) return VERDICT_NEXT;
  excepted = policy_listed(c, LIST_nodnscheck, &t->sender.address, r);
  if (excepted != VERDICT_NEXT) return excepted == VERDICT_ACCEPT ? VERDICT_NEXT : excepted;
  switch (dns_name_takes_mail(domain, n, &e)) {
    case DNS_NAME_THERE: return VERDICT_NEXT;
    case DNS_NAME_NOT: return policy_say(r, VERDICT_REJECT, 553, "5.1.8", "the sender's domain does not exist");
    case DNS_NAME_NULL_MX: return policy_say(r, VERDICT_REJECT, 550, "5.7.27", "the sender's domain takes no mail");
    case DNS_NAME_FAILED: break;
  }
  return policy_say(r, VERDICT_FAILED, 0, "4.4.3", e.text);
}
