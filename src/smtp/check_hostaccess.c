/* check_hostaccess: which addresses the mail of a domain comes from, and for which domains an
 * address sends: lines domain:address, either side with wildcards (mail/ip_pattern.h).
 *
 * A pair of the list is let in.  So is, without PARANOID, a domain and an address none of which
 * is in the list; and with DOMAIN_MASQUERADE every domain from an address that is. */
#include <string.h>

#include "base/bytes.h"
#include "mail/addrlist.h"
#include "mail/ip_pattern.h"
#include "smtp/checks.h"

struct seen {
  int pair, domain, address;
};

static int domain_matches(const char *line, size_t colon, const char *domain, size_t n) {
  char pattern[SMTP_DOMAIN_MAX + 1];

  if (colon && *line == '@') {
    ++line;
    --colon;
  }
  if (colon >= sizeof pattern) return 0;
  memcpy(pattern, line, colon);
  pattern[colon] = 0;
  return addrlist_wild(pattern, domain, n);
}

static void look(const stralloc *line, const char *domain, size_t n, const struct ip *ip, struct seen *seen) {
  size_t colon = bytes_chr(line->s, line->len, ':');
  const char *address = line->s + colon + 1;
  int of_domain, from_address;

  if (colon == line->len) return;
  of_domain = domain_matches(line->s, colon, domain, n);
  from_address = ip_pattern_match(address, line->len - colon - 1, ip);
  if (of_domain && from_address) seen->pair = 1;
  /* a * says nothing about what stands there in particular */
  if (of_domain && strncmp(line->s, "*:", 2)) seen->domain = 1;
  if (from_address && strcmp(address, "*")) seen->address = 1;
}

enum verdict check_hostaccess(const struct connection *c, const struct transaction *t, const struct conf *conf,
                              struct policy_reply *r) {
  const struct strlist *lines = conf_lines(conf, SET_hostaccess);
  struct seen seen = {0};
  struct ip ip = {0};
  size_t n;
  const char *domain = smtp_path_domain(&t->sender, &n);

  if (!lines->len) return VERDICT_NEXT;
  if (!ip_scan(c->ip, strlen(c->ip), &ip)) ip.family = 0;
  for (size_t i = 0; i < lines->len && !seen.pair; ++i) look(&lines->item[i], domain, n, &ip, &seen);
  if (seen.pair || (seen.address && conf_flag(conf, SET_domain_masquerade))) return VERDICT_NEXT;
  if (!seen.domain && !seen.address && !conf_flag(conf, SET_paranoid)) return VERDICT_NEXT;
  return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "mail of this domain is not accepted from your address");
}
