/* ident: who owns the other end of a connection, by its own account (RFC 1413). */
#ifndef SUPER_IDENT_H
#define SUPER_IDENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/now.h"
#include "base/stralloc.h"
#include "net/ip.h"

/* The user in a reply line about these ports (client's view: its own first).
 * Only printable characters are taken.  1, 0 when there is none, -1 for no memory. */
int ident_parse(const char *s, size_t n, uint16_t theirs, uint16_t ours, stralloc *user) MUST_CHECK;
/* Ask the client.  As ident_parse; any failure is 0. */
int ident_ask(const struct ip *remote, uint16_t remote_port, const struct ip *local, uint16_t local_port,
              deadline when, stralloc *user) MUST_CHECK;

#endif
