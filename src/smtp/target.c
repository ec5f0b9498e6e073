/* target: see target.h. */
#include "smtp/target.h"

#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/scan.h"

#define SMTP_PORT 25
#define TARGETS_MAX 64

static enum target_outcome temp(struct strerr *e, const char *a, const char *b, const char *c) {
  strerr_set(e, a, b, c, (char *)0);
  return TARGET_TEMP;
}

static enum target_outcome perm(struct strerr *e, const char *a, const char *b, const char *c) {
  strerr_set(e, a, b, c, (char *)0);
  return TARGET_PERM;
}

static int add(struct target_list *l, const struct ip *ip, uint16_t port, const char *name) {
  struct target *t;

  if (l->n == TARGETS_MAX) return 1;
  if (l->n == l->a) {
    size_t a = l->a ? l->a * 2 : 4;
    struct target *all = reallocarray(l->t, a, sizeof *all);

    if (!all) return 0;
    l->t = all;
    l->a = a;
  }
  t = &l->t[l->n];
  memset(t, 0, sizeof *t);
  t->ip = *ip;
  t->port = port;
  if (!stralloc_copys(&t->name, name)) return 0;
  l->n++;
  return 1;
}

struct adding {
  struct target_list *l;
  const char *name;
  uint16_t port;
};

static int add_one(void *ctx, const struct ip *ip) {
  const struct adding *a = ctx;

  return add(a->l, ip, a->port, a->name);
}

/* Adds the IPv4 and IPv6 addresses of a name.  FOUND when there was one. */
static enum dns_outcome add_addresses(struct target_list *l, struct dns *dns, const char *name, uint16_t port,
                                      deadline when, struct strerr *e) {
  struct adding a = {l, name, port};

  return dns_addresses(dns, name, when, add_one, &a, e);
}

int target_is_us(const struct ip *ip) {
  struct ifaddrs *all, *i;
  int us = ip_is_any(ip);

  if (us || getifaddrs(&all) == -1) return us;
  for (i = all; i && !us; i = i->ifa_next) {
    struct ip own;

    us = i->ifa_addr && ip_from_sockaddr(i->ifa_addr, &own, 0) && ip_equal(&own, ip);
  }
  freeifaddrs(all);
  return us;
}

/* Random bits for choosing among equals; nothing secret. */
static uint32_t chance(void) {
  uint32_t u = (uint32_t)getpid();

  if (getentropy(&u, sizeof u) == -1) u ^= (uint32_t)mono_now();
  return u;
}

static void shuffle(struct dns_record *r, size_t n) {
  for (size_t i = n; i > 1; --i) {
    size_t j = chance() % i;
    struct dns_record swap = r[i - 1];

    r[i - 1] = r[j];
    r[j] = swap;
  }
}

static void shuffle_equals(struct dns_answer *mx) {
  for (size_t i = 0; i < mx->len;) {
    size_t j = i + 1;

    while (j < mx->len && mx->record[j].preference == mx->record[i].preference) ++j;
    shuffle(mx->record + i, j - i);
    i = j;
  }
}

/* Walks the MXs from the best on; one that is us ends the list, for the worse ones
 * send to the better ones, and that is us. */
static enum target_outcome add_exchangers(struct target_list *l, struct dns *dns, struct dns_answer *mx,
                                          const char *host, deadline when, struct strerr *e) {
  int temporary = 0;
  int best_is_us = 0;

  shuffle_equals(mx);
  for (size_t i = 0; i < mx->len; ++i) {
    size_t before = l->n;
    int us = 0;

    if (add_addresses(l, dns, mx->record[i].data.s, SMTP_PORT, when, e) == DNS_TEMPFAIL) temporary = 1;
    for (size_t j = before; j < l->n; ++j) {
      l->t[j].rank = mx->record[i].preference;
      us |= target_is_us(&l->t[j].ip);
    }
    if (!us) continue;
    /* Drop this one and every equal already taken. */
    while (i && mx->record[i - 1].preference == mx->record[i].preference) --i;
    for (size_t j = 0; j < l->n; ++j) {
      size_t k = i;

      while (k < mx->len && strcmp(stralloc_cstr(&mx->record[k].data), l->t[j].name.s)) ++k;
      if (k == mx->len) continue;
      while (l->n > j) stralloc_free(&l->t[--l->n].name);
    }
    best_is_us = l->n == 0;
    break;
  }
  if (l->n) return TARGET_OK;
  if (best_is_us) return perm(e, "The best mail exchanger of ", host, " is this host, but the domain is not in control/locals. (#5.4.6)");
  if (temporary) return temp(e, "Name lookup failed temporarily for a mail exchanger of ", host, ". (#4.4.3)");
  return perm(e, "Sorry, no mail exchanger of ", host, " has an address. (#5.4.4)");
}

static enum target_outcome by_dns(struct target_list *l, struct dns *dns, const char *host, deadline when,
                                  struct strerr *e) {
  struct dns_answer mx = {0};
  enum target_outcome r = TARGET_TEMP;

  switch (dns_query(dns, DNS_MX, host, when, &mx, e)) {
    case DNS_FOUND:
      if (mx.len == 1 && !mx.record[0].data.len)
        r = perm(e, "Sorry, ", host, " says it accepts no mail (null MX). (#5.1.10)");
      else r = add_exchangers(l, dns, &mx, host, when, e);
      break;
    case DNS_NXDOMAIN: r = perm(e, "There is no host or domain ", host, ". (#5.1.2)"); break;
    case DNS_TEMPFAIL: r = temp(e, "Name lookup failed temporarily for ", host, ". (#4.4.3)"); break;
    case DNS_NODATA:
      switch (add_addresses(l, dns, host, SMTP_PORT, when, e)) {
        case DNS_FOUND:
          r = TARGET_OK;
          if (target_is_us(&l->t[0].ip))
            r = perm(e, "Sorry, ", host, " is this host, but not in my control/locals file. (#5.4.6)");
          break;
        case DNS_TEMPFAIL: r = temp(e, "Name lookup failed temporarily for ", host, ". (#4.4.3)"); break;
        case DNS_NODATA:
        case DNS_NXDOMAIN: r = perm(e, "Sorry, ", host, " has no mail exchanger and no address. (#5.4.4)"); break;
      }
  }
  dns_answer_free(&mx);
  return r;
}

/* The next ":number" of a route, at s[*at]: 1 read or left out, 0 malformed. */
static int next_number(const char *s, size_t n, size_t *at, uint64_t max, uint64_t *u) {
  size_t from = *at + 1;

  if (*at == n) return 1;
  if (s[*at] != ':') return 0;
  *at = from + bytes_chr(s + from, n - from, ':');
  return *at == from || scan_u64_max(s + from, *at - from, max, u);
}

/* "relay", "[v6]" or an IPv4 address, then ":port:penalty:tolerance", each of which may be
 * missing or empty. */
static int split_relay(struct target_list *l, const char *s, stralloc *relay, uint16_t *port) {
  size_t n = strcspn(s, " \t");
  size_t at = s[0] == '[' ? bytes_chr(s, n, ']') : bytes_chr(s, n, ':');
  size_t skip = s[0] == '[';
  uint64_t u = SMTP_PORT;

  if ((skip && at == n) || !stralloc_copyb(relay, s + skip, at - skip)) return 0;
  at += skip;
  if (!next_number(s, n, &at, UINT16_MAX, &u) || !u || !next_number(s, n, &at, INT64_MAX, &l->penalty) ||
      !next_number(s, n, &at, INT64_MAX, &l->tolerance))
    return 0;
  *port = (uint16_t)u;
  return at == n;
}

static enum target_outcome by_name(struct target_list *l, struct dns *dns, const char *name, uint16_t port,
                                   deadline when, struct strerr *e) {
  struct ip ip;

  if (ip_scan(name, strlen(name), &ip)) return add(l, &ip, port, name) ? TARGET_OK : temp(e, "Out of memory. (#4.3.0)", "", "");
  switch (add_addresses(l, dns, name, port, when, e)) {
    case DNS_FOUND: return TARGET_OK;
    case DNS_TEMPFAIL: return temp(e, "Name lookup failed temporarily for relay ", name, ". (#4.4.3)");
    case DNS_NODATA:
    case DNS_NXDOMAIN: break;
  }
  /* The administrator's mistake is no reason to return mail. */
  return temp(e, "There is no host of that name: relay ", name, " of smtproutes. (#4.4.4)");
}

/* The route's value: "relay[:port]" or "" for none. */
static const char *find_route(const struct conf *conf, const char *host) {
  const char *v = conf_line(conf, SET_smtproute);
  const char *colon = strchr(v, ':');

  if (colon) return colon + 1; /* domain:relay:port, made for this delivery */
  v = conf_map_domain(conf_lines(conf, SET_smtproutes), host, strlen(host));
  return v ? v : "";
}

static enum target_outcome choose(struct target_list *l, struct dns *dns, const char *host, const struct conf *conf,
                                  deadline when, struct strerr *e) {
  const char *route = find_route(conf, host);
  size_t n = strlen(host);
  stralloc relay = STRALLOC_INIT;
  enum target_outcome r;
  uint16_t port;
  struct ip ip;

  if (*route && *route != ' ') {
    l->routed = 1;
    r = split_relay(l, route, &relay, &port) ? by_name(l, dns, stralloc_cstr(&relay), port, when, e)
                                          : temp(e, "Malformed route in smtproutes: ", route, ". (#4.3.5)");
    stralloc_free(&relay);
    return r;
  }
  if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
    size_t skip = bytes_casestarts(host, n, "[IPv6:") ? 6 : 1;

    if (!ip_scan(host + skip, n - skip - 1, &ip)) return perm(e, "Malformed address literal ", host, ". (#5.1.2)");
    if (target_is_us(&ip)) return perm(e, "Sorry, ", host, " is this host. (#5.4.6)");
    return add(l, &ip, SMTP_PORT, host) ? TARGET_OK : temp(e, "Out of memory. (#4.3.0)", "", "");
  }
  return by_dns(l, dns, host, when, e);
}

enum target_outcome target_find(struct target_list *l, const char *host, const struct conf *conf, deadline when,
                                struct strerr *e) {
  enum target_outcome r;
  struct dns dns = {0};

  memset(l, 0, sizeof *l);
  l->penalty = l->tolerance = TARGET_UNSET;
  if (dns_open(&dns, e) == -1) return TARGET_TEMP;
  r = choose(l, &dns, host, conf, when, e);
  dns_close(&dns);
  return r;
}

void target_list_drop(struct target_list *l, size_t n) {
  for (size_t i = 0; i < n; ++i) stralloc_free(&l->t[i].name);
  memmove(l->t, l->t + n, (l->n - n) * sizeof *l->t);
  l->n -= n;
}

void target_list_free(struct target_list *l) {
  for (size_t i = 0; i < l->n; ++i) stralloc_free(&l->t[i].name);
  free(l->t);
  memset(l, 0, sizeof *l);
}
