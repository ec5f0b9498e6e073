/* ip_pattern: addresses as administrators write many of them: an address, ADDRESS/BITS, and for
 * IPv4 four parts each of which is a number, a range 10-33, * or digits with ?; * alone is
 * every address.  Other text is a wildcard pattern for the address as it is written
 * (2001:db8:*).  Pure. */
#ifndef MAIL_IP_PATTERN_H
#define MAIL_IP_PATTERN_H

#include <stddef.h>

#include "net/ip.h"

/* Does pattern[0..n-1] match?  What is no pattern matches nothing. */
int ip_pattern_match(const char *pattern, size_t n, const struct ip *ip);

#endif
