/* dns: see dns.h. */
#include "net/dns.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/file.h"
#include "base/scan.h"
#include "net/dns_exchange.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_CONF_MAX 65536

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

static int read_servers(struct dns *d, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int r = file_read(RESOLV_CONF, &text, RESOLV_CONF_MAX);

  if (r == -1) strerr_sys(e, "unable to read ", RESOLV_CONF, (char *)0);
  else dns_servers_parse(d, stralloc_cstr(&text), text.len);
  stralloc_free(&text);
  return r == -1 ? -1 : 0;
}

int dns_open(struct dns *d, struct strerr *e) {
  const char *server = env_get("DNSCACHEIP");
  struct ip ip;
  uint16_t port;

  d->servers = 0;
  if (!server || !*server) return read_servers(d, e);
  if (!scan_server(server, &ip, &port)) {
    strerr_set(e, "$DNSCACHEIP is not an address: ", server, (char *)0);
    e->permanent = 1;
    return -1;
  }
  ip_to_sockaddr(&ip, port, &d->server[0]);
  d->servers = 1;
  return 0;
}

uint16_t dns_tcp_port(void) {
  const char *server = env_get("DNSCACHEIP");
  struct ip ip;
  uint16_t port;

  return server && scan_server(server, &ip, &port) ? port : DNS_PORT;
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
  n = dns_question(name, (int)type, question);
  if (n == -1) return explain(DNS_NXDOMAIN, name, e); /* a name that cannot be asked for is nobody's */
  if (dns_exchange(d, question, (size_t)n, when, &message) == 0)
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
  d->servers = 0;
}

enum dns_outcome dns_addresses(struct dns *d, const char *name, deadline when, int (*fn)(void *ctx, const struct ip *ip), void *ctx,
                               struct strerr *e) {
  static const enum dns_type types[] = {DNS_A, DNS_AAAA};
  struct dns_answer a = {0};
  enum dns_outcome worst = DNS_NODATA;
  int found = 0;

  for (size_t i = 0; i < sizeof types / sizeof *types; ++i) {
    enum dns_outcome o = dns_query(d, types[i], name, when, &a, e);

    if (o == DNS_TEMPFAIL) worst = o;
    if (o == DNS_NXDOMAIN && worst == DNS_NODATA) worst = o;
    for (size_t j = 0; o == DNS_FOUND && j < a.len; ++j) {
      if (!fn(ctx, &a.record[j].ip)) worst = DNS_TEMPFAIL;
      found = 1;
    }
  }
  dns_answer_free(&a);
  return found ? DNS_FOUND : worst;
}
