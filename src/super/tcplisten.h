/* tcplisten: the socket a server listens on. */
#ifndef SUPER_TCPLISTEN_H
#define SUPER_TCPLISTEN_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"

struct tcplisten {
  const char *host; /* name or address; "" or "0": every address.  A path: a Unix socket */
  const char *port; /* number or service name; null for a Unix socket */
  int family;       /* AF_INET, AF_INET6; 0: both when host is every address */
  const char *interface; /* scope of a link-local address, or null */
  int backlog;
  int keep_source_route; /* leave IP options of the client in force */
};

int tcplisten_is_unix(const struct tcplisten *l);
/* A listening, non-blocking, close-on-exec socket, its port in *port (0 for a Unix
 * socket), or -1 with e filled.  Looks names up, so it may block. */
int tcplisten_open(const struct tcplisten *l, uint16_t *port, struct strerr *e) MUST_CHECK;

#endif
