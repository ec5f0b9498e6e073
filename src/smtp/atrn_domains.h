/* atrn_domains: lists of domains, as ATRN, control/atrnaccess and table atrn_map have them: separated by
 * commas and blanks.  Pure. */
#ifndef SMTP_ATRN_DOMAINS_H
#define SMTP_ATRN_DOMAINS_H

#include "base/strlist.h"

/* Adds those that are not in the list yet: 1, or 0 when memory ran out. */
int atrn_domains_add(struct strlist *to, const char *s, size_t n) MUST_CHECK;
/* Are all that are wanted granted?  Not if there are none, or more than TURN_DOMAINS.  Whole names are
 * compared. */
int atrn_domains_granted(const struct strlist *wanted, const struct strlist *granted);

#endif
