/* addrlist: lists of addresses as administrators write them (badmailfrom, badrcptto).
 *
 * A line is user@domain, @domain, or a pattern with * ? [a-z] and \; a leading !
 * takes back what earlier lines matched.  The last line that matches decides.  ASCII
 * case does not matter. */
#ifndef MAIL_ADDRLIST_H
#define MAIL_ADDRLIST_H

#include <stddef.h>

#include "base/strlist.h"

/* The deciding line, or null when the address is not in the list (or taken back). */
const char *addrlist_match(const struct strlist *l, const char *addr, size_t n);
/* Does one line, without its !, match? */
int addrlist_line(const char *line, const char *addr, size_t n);
/* Does the pattern match the whole of s?  Time is bounded by the product of the
 * lengths. */
int addrlist_wild(const char *pattern, const char *s, size_t n);

#endif
