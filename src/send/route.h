/* route: where an envelope recipient goes.  Pure: the settings are arguments.
 * In this order: no @ gets the default host; user%host@domain is rewritten for
 * domains of percenthack; a domain in locals is local; a hit in virtualdomains (whole
 * address, domain, each .suffix, empty key) is local with the prefix put before it,
 * unless its value is empty; everything else is remote. */
#ifndef SEND_ROUTE_H
#define SEND_ROUTE_H

#include "base/stralloc.h"
#include "base/strlist.h"

enum channel { CHANNEL_LOCAL, CHANNEL_REMOTE, CHANNELS };

struct route_table {
  const char *envnoathost;
  const struct strlist *locals, *percenthack, *virtualdomains;
};

/* The address as it is delivered into out, and its channel: 1, or 0 when memory
 * ran out. */
int route_address(const struct route_table *t, const char *address, size_t n, stralloc *out,
                  enum channel *channel) MUST_CHECK;
/* The address as the sender knew it: without the prefix of a virtual domain. */
const char *route_original(const struct route_table *t, const char *routed);

#endif
