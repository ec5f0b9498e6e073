/* dns: see dns.h. */
#include "net/dns.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/scan.h"
#include "net/dns_exchange.h"

#define DNS_PORT 53

/* address, address:port, [address]:port: 1 or 0. */
static int scan_server(const char *s, struct ip *ip, uint16_t *port) {
  size_t n = strlen(s), end;

  *port = DNS_PORT;
  if (ip_scan(s, n, ip)) return 1;
  if (*s == '[') {
    end = bytes_chr(s, n, ']');
    if (end == n || !ip_scan(s + 1, end - 1, ip)) return 0;
    ++end;
    if (end == n) return 1;
  } else {
    end = bytes_chr(s, n, ':');
    if (end == n || !ip_scan(s, end, ip)) return 0;
  }
  return s[end] == ':' && scan_port(s + end + 1, n - end - 1, port);
}

/* Only this server.  For IPv6 the library looks in its extension, and frees it. */
static int only_server(struct __res_state *r, const struct ip *ip, uint16_t port) {
  struct sockaddr_storage sa;

  ip_to_sockaddr(ip, port, &sa);
  r->nscount = 1;
  if (ip->family == AF_INET) {
    memcpy(&r->nsaddr_list[0], &sa, sizeof r->nsaddr_list[0]);
    return 0;
  }
  r->nsaddr_list[0].sin_family = 0;
  if (!r->_u._ext.nsaddrs[0]) r->_u._ext.nsaddrs[0] = malloc(sizeof(struct sockaddr_in6));
  if (!r->_u._ext.nsaddrs[0]) return -1;
  memcpy(r->_u._ext.nsaddrs[0], &sa, sizeof(struct sockaddr_in6));
  r->_u._ext.nscount = 1;
  r->_u._ext.nssocks[0] = -1;
  return 0;
}

/* The library that failed to start may keep a lock of its own for ever (seen with glibc 2.36
 * when memory ran out): it is not asked again. */
static int broken;

int dns_is_broken(void) {
  return broken;
}

int dns_open(struct dns *d, struct strerr *e) {
  const char *server = env_get("DNSCACHEIP");
  struct __res_state *r;
  struct ip ip;
  uint16_t port;

  d->state = 0;
  if (server && *server && !scan_server(server, &ip, &port)) {
    strerr_set(e, "$DNSCACHEIP is not an address: ", server, (char *)0);
    e->permanent = 1;
    return -1;
  }
  if (broken) return strerr_set(e, "the resolver failed before in this process", (char *)0);
  r = calloc(1, sizeof *r);
  if (!r) return strerr_sys(e, "unable to prepare the resolver", (char *)0);
  if (res_ninit(r) == -1) {
    broken = 1;
    free(r);
    return strerr_sys(e, "unable to read resolv.conf", (char *)0);
  }
  d->state = r;
  r->options &= ~(RES_DNSRCH | RES_DEFNAMES | RES_NOALIASES);
  if (server && *server && only_server(r, &ip, port) == -1) {
    strerr_sys(e, "unable to prepare the resolver", (char *)0);
    dns_close(d);
    return -1;
  }
  return 0;
}

static enum dns_outcome failed(enum dns_outcome outcome, const char *name, const char *why, struct strerr *e) {
  strerr_set(e, name, ": ", why, (char *)0);
  return outcome;
}

static enum dns_outcome explain(enum dns_outcome outcome, const char *name, struct strerr *e) {
  switch (outcome) {
    case DNS_FOUND: return outcome;
    case DNS_NODATA: return failed(outcome, name, "no such record", e);
    case DNS_NXDOMAIN: return failed(outcome, name, "no such domain", e);
    case DNS_TEMPFAIL: return failed(outcome, name, "temporary DNS failure", e);
  }
  return outcome;
}

enum dns_outcome dns_query(struct dns *d, enum dns_type type, const char *name, deadline when,
                           struct dns_answer *answer, struct strerr *e) {
  unsigned char question[DNS_QUESTION_MAX];
  stralloc message = STRALLOC_INIT;
  enum dns_outcome outcome = DNS_TEMPFAIL;
  int n;

  answer->len = 0;
  answer->authenticated = 0;
  stralloc_cut(&answer->name, 0);
  n = dns_question(d->state, name, (int)type, question);
  if (n == -1) return explain(DNS_NXDOMAIN, name, e); /* a name that cannot be asked for is nobody's */
  if (dns_exchange(d->state, question, (size_t)n, when, &message) == 0)
    outcome = dns_parse((const unsigned char *)message.s, message.len, type, name, answer);
  stralloc_free(&message);
  return explain(outcome, name, e);
}

int dns_reverse_name(const struct ip *ip, stralloc *name) {
  static const char hex[] = "0123456789abcdef";

  stralloc_cut(name, 0);
  if (ip->family == AF_INET) {
    for (int i = 3; i >= 0; --i)
      if (!stralloc_catu64(name, ip->b[i]) || !stralloc_append(name, '.')) return 0;
    return stralloc_catlit(name, "in-addr.arpa");
  }
  for (int i = 15; i >= 0; --i) {
    char label[4] = {hex[ip->b[i] & 15], '.', hex[ip->b[i] >> 4], '.'};

    if (!stralloc_catb(name, label, sizeof label)) return 0;
  }
  return stralloc_catlit(name, "ip6.arpa");
}

enum dns_outcome dns_reverse(struct dns *d, const struct ip *ip, deadline when, struct dns_answer *answer,
                             struct strerr *e) {
  stralloc name = STRALLOC_INIT;
  enum dns_outcome outcome;

  if (dns_reverse_name(ip, &name)) outcome = dns_query(d, DNS_PTR, name.s, when, answer, e);
  else outcome = failed(DNS_TEMPFAIL, "address", "out of memory", e);
  stralloc_free(&name);
  return outcome;
}

void dns_answer_free(struct dns_answer *answer) {
  for (size_t i = 0; i < answer->a; ++i) stralloc_free(&answer->record[i].data);
  free(answer->record);
  stralloc_free(&answer->name);
  memset(answer, 0, sizeof *answer);
}

void dns_close(struct dns *d) {
  if (!d->state) return;
  res_nclose(d->state);
  free(d->state);
  d->state = 0;
}
