/* proxy_header: what a load balancer says before a connection's own bytes: who the client is
 * (PROXY protocol, versions 1 and 2).  Pure.
 *
 * The header ends where it ends, and what follows belongs to somebody else (TLS, say): so the parser
 * says how many bytes may be read next without reading too far. */
#ifndef NET_PROXY_HEADER_H
#define NET_PROXY_HEADER_H

#include "net/ip.h"

#define PROXY_HEADER_MAX 1040 /* bytes; of version 2 that is 1024 behind the first 16 */

struct proxy_header {
  int known; /* 0: about itself (a check of our health), or an address we do not know */
  struct ip from, to;
  uint16_t from_port, to_port;
};

enum proxy_verdict { PROXY_MORE, PROXY_OK, PROXY_BAD };
/* s[0..n-1] is what was read so far.  PROXY_MORE: *want more bytes belong to it for certain.  PROXY_OK:
 * it is all of the header.  Bytes behind it are PROXY_BAD. */
enum proxy_verdict proxy_header_parse(const char *s, size_t n, struct proxy_header *h, size_t *want);

#endif
