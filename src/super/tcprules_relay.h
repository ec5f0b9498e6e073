/* tcprules_relay: rules of tcpserver with those addresses that may relay for a while (updaterules): each
 * gets the rule it would have had anyway, and RELAYCLIENT.  One that is denied stays so. */
#ifndef SUPER_TCPRULES_RELAY_H
#define SUPER_TCPRULES_RELAY_H

#include <stddef.h>

#include "base/strerr.h"
#include "base/strlist.h"

/* The text of rules and the addresses as a cdb into fd, which is empty; *added of them.  What is no
 * address is left out.  0, or -1 with e filled (permanent: a line makes no sense; named by its number). */
int tcprules_relay(const char *text, size_t n, const struct strlist *addresses, int fd, size_t *added, struct strerr *e) MUST_CHECK;

#endif
