/* relay_rules: the compiled rules of tcpserver for SMTP, with the addresses users have logged in from to
 * read mail (updaterules, clearopensmtp). */
#ifndef SUPER_RELAY_RULES_H
#define SUPER_RELAY_RULES_H

#include "user/site.h"

enum relay_rules { RELAY_RULES_ALWAYS, RELAY_RULES_IF_THERE };
/* Replaces tcp.smtp.cdb in one step.  IF_THERE: nothing is done where there is no tcp.smtp.  The database is
 * opened if it is not; root reads and writes the files as himself.  added: how many addresses may relay.
 * 0, or -1 with e filled (permanent: a rule makes no sense). */
int relay_rules_update(struct site *s, enum relay_rules when, size_t *added, struct strerr *e) MUST_CHECK;

#endif
