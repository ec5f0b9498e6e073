/* nss_daemon: nssd, apart from its start: answers questions of its module (user/nss_proto.h), which any
 * user of this host may ask, by asking inlookup.  Many at once in one process. */
#ifndef USER_NSS_DAEMON_H
#define USER_NSS_DAEMON_H

#include "base/strerr.h"

struct nss_daemon {
  int listener; /* SOCK_SEQPACKET, not blocking */
  int verbose;
};

/* Until SIGTERM: 0, or -1 with e filled. */
int nss_daemon_run(const struct nss_daemon *d, struct strerr *e) MUST_CHECK;

#endif
