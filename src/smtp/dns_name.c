/* dns_name: see dns_name.h. */
#include "smtp/dns_name.h"

#include <string.h>

#include "net/dns.h"

#define SECONDS 10 /* for all questions about one name */

/* One question: the outcome, with the answer in a. */
static enum dns_outcome ask(enum dns_type type, const char *name, size_t n, deadline when, struct dns_answer *a,
                            struct strerr *e) {
  stralloc copy = STRALLOC_INIT;
  struct dns dns;
  enum dns_outcome outcome = DNS_TEMPFAIL;

  strerr_set(e, "out of memory", (char *)0);
  if (stralloc_copyb(&copy, name, n) && dns_open(&dns, e) == 0) {
    outcome = dns_query(&dns, type, copy.s, when, a, e);
    dns_close(&dns);
  }
  stralloc_free(&copy);
  return outcome;
}

static enum dns_name by_outcome(enum dns_outcome outcome) {
  switch (outcome) {
    case DNS_FOUND: return DNS_NAME_THERE;
    case DNS_NODATA:
    case DNS_NXDOMAIN: return DNS_NAME_NOT;
    case DNS_TEMPFAIL: break;
  }
  return DNS_NAME_FAILED;
}

static enum dns_name has_address(const char *host, size_t n, deadline when, struct strerr *e) {
  static const enum dns_type types[] = {DNS_A, DNS_AAAA};
  struct dns_answer a = {0};
  enum dns_outcome outcome = DNS_NODATA;

  for (size_t i = 0; i < sizeof types / sizeof *types && outcome == DNS_NODATA; ++i) outcome = ask(types[i], host, n, when, &a, e);
  dns_answer_free(&a);
  return by_outcome(outcome);
}

enum dns_name dns_name_has_address(const char *host, size_t n, struct strerr *e) {
  return has_address(host, n, deadline_in(SECONDS), e);
}

enum dns_name dns_name_takes_mail(const char *domain, size_t n, struct strerr *e) {
  deadline when = deadline_in(SECONDS);
  struct dns_answer a = {0};
  enum dns_outcome outcome = ask(DNS_MX, domain, n, when, &a, e);
  int null_mx = outcome == DNS_FOUND && a.len == 1 && !a.record[0].data.len;

  dns_answer_free(&a);
  if (null_mx) return DNS_NAME_NULL_MX;
  return outcome == DNS_NODATA ? has_address(domain, n, when, e) : by_outcome(outcome);
}

/* The reversed address and the zone. */
static int list_name(const struct ip *ip, const char *zone, size_t n, stralloc *name) {
  static const char *const suffixes[] = {"in-addr.arpa", "ip6.arpa"};

  if (!dns_reverse_name(ip, name)) return 0;
  stralloc_cut(name, name->len - strlen(suffixes[ip->family != AF_INET]));
  return stralloc_catb(name, zone, n);
}

static enum dns_name by_records(const struct dns_answer *a, const char *name, struct strerr *e) {
  int refused = 0;

  for (size_t i = 0; i < a->len; ++i) {
    const unsigned char *b = a->record[i].ip.b;

    if (b[0] != 127) continue;
    if (b[1] != 255 || b[2] != 255) return DNS_NAME_THERE;
    refused = 1;
  }
  if (!refused) return DNS_NAME_NOT;
  strerr_set(e, name, ": the operator of the list refuses to answer us", (char *)0);
  return DNS_NAME_FAILED;
}

enum dns_name dns_name_listed(const struct ip *ip, const char *zone, size_t n, struct strerr *e) {
  stralloc name = STRALLOC_INIT;
  struct dns_answer a = {0};
  enum dns_name listed = DNS_NAME_FAILED;

  strerr_set(e, "out of memory", (char *)0);
  if (list_name(ip, zone, n, &name)) {
    enum dns_outcome outcome = ask(DNS_A, name.s, name.len, deadline_in(SECONDS), &a, e);

    listed = outcome == DNS_FOUND ? by_records(&a, name.s, e) : by_outcome(outcome);
  }
  stralloc_free(&name);
  dns_answer_free(&a);
  return listed;
}
