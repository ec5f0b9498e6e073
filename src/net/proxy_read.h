/* proxy_read: the header of the PROXY protocol (net/proxy_header.h) from a connection. */
#ifndef NET_PROXY_READ_H
#define NET_PROXY_READ_H

#include "base/attr.h"
#include "base/iodeadline.h"
#include "net/proxy_header.h"

#define PROXY_SECONDS 30

/* Reads the header and not a byte behind it, which may be TLS.  0, or -1 with *why saying what it was.
 * Blocks until io->when. */
int proxy_read(struct iodeadline *io, struct proxy_header *h, const char **why) MUST_CHECK;

#endif
