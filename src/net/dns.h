/* dns: questions to the servers of /etc/resolv.conf, or to $DNSCACHEIP (an
 * address, or address:port, with [brackets] around IPv6).  Of resolv.conf the servers
 * count; net/dns_exchange.h asks.
 *
 * The name is taken as it is: no search list.  An answer's CNAME chain is followed
 * inside the answer.  Failure of any kind is DNS_TEMPFAIL, never "no such name".
 * The AD bit is reported as the resolver gave it: it means something only when the
 * resolver validates and the path to it is trusted. */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/now.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "net/ip.h"

enum dns_type {
  DNS_A = 1,
  DNS_CNAME = 5,
  DNS_PTR = 12,
  DNS_MX = 15,
  DNS_TXT = 16,
  DNS_AAAA = 28,
  DNS_TLSA = 52,
};

enum dns_outcome {
  DNS_FOUND,
  DNS_NODATA,   /* the name exists, with no record of this type */
  DNS_NXDOMAIN, /* the name does not exist */
  DNS_TEMPFAIL,
};

/* One record.  Which members count depends on the type. */
struct dns_record {
  uint32_t ttl;
  uint16_t preference;                 /* MX */
  uint8_t usage, selector, matching;   /* TLSA */
  struct ip ip;                        /* A, AAAA */
  stralloc data; /* MX, PTR: lower-case name without final dot ("" is the root: a null MX);
                    TXT: its strings put together; TLSA: certificate data */
};

struct dns_answer {
  struct dns_record *record;
  size_t len;
  size_t a;
  stralloc name;     /* where the CNAME chain ended */
  int authenticated; /* the AD bit */
};

#define DNS_PORT 53
#define DNS_SERVERS 3

struct dns {
  struct sockaddr_storage server[DNS_SERVERS];
  size_t servers; /* 0 when closed */
};

/* Read resolv.conf and $DNSCACHEIP: 0, or -1 with e filled. */
int dns_open(struct dns *d, struct strerr *e) MUST_CHECK;
/* The port at which their TCP is. */
uint16_t dns_tcp_port(void);
/* Ask and fill answer, which the caller zeroed or reuses.  Blocks until when; in a task
 * others go on meanwhile.  What cannot be a name is DNS_NXDOMAIN.  MX records come sorted
 * by preference.  e is filled for every outcome but DNS_FOUND. */
enum dns_outcome dns_query(struct dns *d, enum dns_type type, const char *name, deadline when,
                           struct dns_answer *answer, struct strerr *e) MUST_CHECK;
/* The IPv4 and IPv6 addresses of a name, each to fn, which returns 1 or 0 (memory).  DNS_FOUND when there
 * was one, though a question may have failed. */
enum dns_outcome dns_addresses(struct dns *d, const char *name, deadline when, int (*fn)(void *ctx, const struct ip *ip), void *ctx,
                               struct strerr *e) MUST_CHECK;
/* The PTR question for an address: names in answer. */
enum dns_outcome dns_reverse(struct dns *d, const struct ip *ip, deadline when,
                             struct dns_answer *answer, struct strerr *e) MUST_CHECK;
/* Name to ask for the PTR records of an address.  1, or 0 when memory ran out. */
int dns_reverse_name(const struct ip *ip, stralloc *name) MUST_CHECK;
void dns_answer_free(struct dns_answer *answer);
void dns_close(struct dns *d);

/* The parser alone (RFC 1035 4.1): what msg says to the question.  A message cut
 * short or malformed is DNS_TEMPFAIL; a single record with a damaged body is left
 * out.  Reads nothing outside msg[0..n-1]. */
enum dns_outcome dns_parse(const unsigned char *msg, size_t n, enum dns_type type, const char *name,
                           struct dns_answer *answer) MUST_CHECK;

#endif
