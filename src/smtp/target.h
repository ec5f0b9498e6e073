/* target: the addresses a message for a host goes to, in the order they are tried:
 * a route of smtproutes, an address literal, or MX and address records (RFC 5321 5.1,
 * RFC 7505). */
#ifndef SMTP_TARGET_H
#define SMTP_TARGET_H

#include <stdint.h>

#include "base/now.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "net/dns.h"
#include "net/ip.h"

struct target {
  struct ip ip;
  uint16_t port;
  stralloc name; /* the host as asked for: for TLS and for reports */
};

struct target_list {
  struct target *t;
  size_t n, a;
  int routed; /* by smtproutes: no MX, no shuffling */
};

enum target_outcome { TARGET_OK, TARGET_PERM, TARGET_TEMP };
/* Fill the list for a host.  TARGET_PERM and TARGET_TEMP: e holds the text of the
 * report, with its (#x.y.z).  Blocks for DNS until when. */
enum target_outcome target_find(struct target_list *l, const char *host, const struct conf *conf, deadline when,
                                struct strerr *e);
/* Is this one of our own addresses? */
int target_is_us(const struct ip *ip);
void target_list_free(struct target_list *l);

#endif
