/* check_helo_dns: with dnscheck and BADHELOCHECK set, the name in HELO or EHLO has an address,
 * unless it is the one the client's address has anyway. */
#include <string.h>

#include "base/bytes.h"
#include "smtp/checks.h"
#include "smtp/dns_name.h"

enum verdict check_helo_dns(const struct connection *c, const struct transaction *t, const struct conf *conf,
                            struct policy_reply *r) {
  const stralloc *helo = &c->helo;
  struct strerr e;

  if (!policy_looks_in_dns(conf) || !policy_looks_at_helo(conf) || !helo->len || helo->s[0] == '[') return VERDICT_NEXT;
  if (helo->len == strlen(c->host) && bytes_caseequal(helo->s, c->host, helo->len)) return VERDICT_NEXT;
  switch (dns_name_has_address(helo->s, helo->len, &e)) {
    case DNS_NAME_THERE:
    case DNS_NAME_NULL_MX: return VERDICT_NEXT;
    case DNS_NAME_NOT: return policy_say(r, VERDICT_REJECT, 553, "5.1.8", "the name you say does not exist");
    case DNS_NAME_FAILED: break;
  }
  return policy_say(r, VERDICT_FAILED, 0, "4.4.3", e.text);
}
