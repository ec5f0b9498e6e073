/* tcprules: who may connect, and with which environment.
 *
 * Source lines are "address:allow" or "address:deny" followed by ,NAME="value" any
 * number of times.  Addresses: info@1.2.3.4, info@=host, 1.2.3.4, =host, 1.2.,
 * 1.2.3.4-9, 1.2.3-5., 10.1.0.0/16, 2001:db8::1, 2001:db8::/32, =.domain, "=" (any
 * client with a name), "" (all).
 *
 * In the cdb the key is the address: IPv6 written out in full (eight times four
 * digits), a network as _ and its bits (IPv4) or ^ and its bits (IPv6).  The data is that of
 * net/tcprules_data.h.  The first key found in the order of tcprules_find decides. */
#ifndef SUPER_TCPRULES_H
#define SUPER_TCPRULES_H

#include "base/cdb.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "net/tcprules_data.h"

/* One line without its LF into records: calls add for each key.  add gives 0 or -1,
 * which is given back.  An empty line or a comment is no record.  0, or -1 with e
 * filled; e->permanent when the line makes no sense. */
struct tcprules_sink {
  int (*add)(void *ctx, const char *key, size_t klen, const char *data, size_t dlen);
  void *ctx;
};
int tcprules_compile(const char *line, size_t n, const struct tcprules_sink *to, struct strerr *e) MUST_CHECK;

struct tcprules_client {
  const char *ip;   /* null or "" when unknown, also below */
  const char *host;
  const char *info;
};
/* The rule for a client: 1 with its key (c has the data), 0 there is none, -1 with
 * errno. */
int tcprules_find(struct cdb *c, const struct tcprules_client *who, stralloc *key) MUST_CHECK;

#endif
