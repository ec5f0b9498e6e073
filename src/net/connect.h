/* connect: outgoing connections with an absolute deadline. */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

#include <stdint.h>

#include "base/now.h"
#include "net/ip.h"

/* A TCP connection to this address and port, from a local address if one is given
 * (null, or unspecified: the system's choice; of another family: EAFNOSUPPORT).
 * A blocking, close-on-exec descriptor, or -1 with errno, ETIMEDOUT when the
 * deadline passed. */
int connect_tcp(const struct ip *to, uint16_t port, const struct ip *from, deadline when);
/* A connection to a Unix socket of this type (SOCK_STREAM, SOCK_SEQPACKET).  Never
 * waits: -1 with EAGAIN when its queue is full. */
int connect_unix(const char *path, int type);

#endif
