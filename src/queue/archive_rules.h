/* archive_rules: who gets a copy of which mail (control/mailarchive).
 *
 *   F:pattern:destination   sender matches
 *   T:pattern:destination   a recipient matches
 *   :pattern:destination    either; also *:pattern:destination
 *
 * pattern is what a line of mail/addrlist.h is; ! before it turns it round; the null sender is <>.
 * In destination %u, %d and %e are user, domain and whole of the address that matched, %% is a
 * percent sign.  Pure. */
#ifndef QUEUE_ARCHIVE_RULES_H
#define QUEUE_ARCHIVE_RULES_H

#include "base/strlist.h"

/* Add the destinations to to, each once, and none that is a recipient anyway: 1, or 0 when
 * memory ran out.  Lines that are no rules do nothing. */
int archive_rules_apply(const struct strlist *rules, const stralloc *sender, const struct strlist *recipients,
                        struct strlist *to) MUST_CHECK;

#endif
