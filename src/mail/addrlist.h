/* addrlist: one line of a list of addresses as administrators write them.
 *
 * A line is user@domain, @domain, .domain or @.domain (every name below domain, not domain
 * itself), or a pattern with * ? [a-z] and \.  ASCII case does not matter.  Whole lists are
 * addrset.h's. */
#ifndef MAIL_ADDRLIST_H
#define MAIL_ADDRLIST_H

#include <stddef.h>

/* Does the line match the address? */
int addrlist_line(const char *line, const char *addr, size_t n);
/* Is it more than a text to compare with? */
int addrlist_is_wild(const char *line);
/* Does the pattern match the whole of s?  Time is bounded by the product of the
 * lengths. */
int addrlist_wild(const char *pattern, const char *s, size_t n);

#endif
