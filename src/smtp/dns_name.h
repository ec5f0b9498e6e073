/* dns_name: what the DNS says of a name that a client gave. */
#ifndef SMTP_DNS_NAME_H
#define SMTP_DNS_NAME_H

#include <stddef.h>

#include "base/attr.h"
#include "base/strerr.h"
#include "net/ip.h"

enum dns_name {
  DNS_NAME_THERE,
  DNS_NAME_NOT,     /* no such name, or no record that would do */
  DNS_NAME_NULL_MX, /* RFC 7505: it takes no mail, so it sends none that could be answered */
  DNS_NAME_FAILED,  /* e filled */
};

/* Could mail be sent to this domain: an MX, or an address?  Blocks for some seconds at most. */
enum dns_name dns_name_takes_mail(const char *domain, size_t n, struct strerr *e) MUST_CHECK;
/* Has the host an address? */
enum dns_name dns_name_has_address(const char *host, size_t n, struct strerr *e) MUST_CHECK;
/* Is the address in the list of this zone (RFC 5782)?  Only answers in 127.0.0.0/8 are listings;
 * those in 127.255.255.0/24 are how operators say that they refuse to answer, DNS_NAME_FAILED. */
enum dns_name dns_name_listed(const struct ip *ip, const char *zone, size_t n, struct strerr *e) MUST_CHECK;

#endif
