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
  uint16_t rank; /* preference of its MX; equals may be tried in any order */
  stralloc name; /* the host as asked for: for TLS and for reports */
};

#define TARGET_UNSET UINT64_MAX

struct target_list {
  struct target *t;
  size_t n, a;
  int routed; /* by smtproutes: no MX, no shuffling */
  uint64_t penalty, tolerance; /* of the route, in seconds (queue/tcpto.h); TARGET_UNSET */
};

enum target_outcome { TARGET_OK, TARGET_PERM, TARGET_TEMP };
/* Fill the list for a host.  TARGET_PERM and TARGET_TEMP: e holds the text of the
 * report, with its (#x.y.z).  Blocks for DNS until when. */
enum target_outcome target_find(struct target_list *l, const char *host, const struct conf *conf, deadline when,
                                struct strerr *e);
/* Is this one of our own addresses? */
int target_is_us(const struct ip *ip);
/* Forget the first n. */
void target_list_drop(struct target_list *l, size_t n);
void target_list_free(struct target_list *l);

#endif
