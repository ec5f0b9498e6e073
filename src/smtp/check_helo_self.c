/* check_helo_self: with BADHELOCHECK or BADHELO, nobody from outside says our name or address. */
#include <string.h>

#include "base/bytes.h"
#include "smtp/checks.h"

static int from_outside(const struct connection *c) {
  struct ip ip, local;

  if (!ip_scan(c->ip, strlen(c->ip), &ip) || ip_is_loopback(&ip)) return 0;
  return !ip_scan(c->local_ip, strlen(c->local_ip), &local) || !ip_equal(&ip, &local);
}

/* An address, or one in brackets, with IPv6: or without. */
static int is_our_address(const struct connection *c, const char *s, size_t n) {
  struct ip said, local;

  if (n > 2 && s[0] == '[' && s[n - 1] == ']') {
    ++s;
    n -= 2;
  }
  if (bytes_casestarts(s, n, "IPv6:")) {
    s += 5;
    n -= 5;
  }
  return ip_scan(s, n, &said) && ip_scan(c->local_ip, strlen(c->local_ip), &local) && ip_equal(&said, &local);
}

static int is(const stralloc *helo, const char *name) {
  return *name && helo->len == strlen(name) && bytes_caseequal(helo->s, name, helo->len);
}

enum verdict check_helo_self(const struct connection *c, const struct transaction *t, const struct conf *conf,
                             struct policy_reply *r) {
  const stralloc *helo = &c->helo;

  if (!policy_looks_at_helo(conf) || !helo->len || !from_outside(c)) return VERDICT_NEXT;
  if (!is(helo, conf_line(conf, SET_me)) && !is(helo, c->local_host) && !is_our_address(c, helo->s, helo->len)) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 550, "5.7.1", "that is our name, not yours");
}
