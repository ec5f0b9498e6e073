/* tcpaccess: asks a file of compiled rules about one client, for tcpserver and
 * tcpserver-lookup. */
#ifndef SUPER_TCPACCESS_H
#define SUPER_TCPACCESS_H

#include "base/cdb.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "super/tcprules.h"

/* Zeroed before first use. */
struct tcpaccess {
  struct cdb c;
  int open;
  uint64_t stamp; /* what the file looked like then */
  int found;  /* a rule was found; its variables can be walked */
  size_t pos; /* of tcpaccess_next */
  stralloc key;
};

/* The file, always the same, stays open and is looked at each time: a changed one counts at
 * once.  optional: no file is no rule.  1 allow, 0 deny, -1 with e filled.  Variables stay valid
 * until tcpaccess_forget, which ends what is known of this client. */
int tcpaccess_check(struct tcpaccess *a, const char *path, int optional,
                    const struct tcprules_client *who, struct strerr *e) MUST_CHECK;
/* The next NAME=value of the rule found, or null. */
const char *tcpaccess_next(struct tcpaccess *a);
/* Its value of this variable, or null. */
const char *tcpaccess_get(const struct tcpaccess *a, const char *name);
void tcpaccess_forget(struct tcpaccess *a);
void tcpaccess_close(struct tcpaccess *a);

/* "name:address:port" and "name:address:info:port" of the log, null for unknown. */
int tcpaccess_local(stralloc *s, const char *host, const char *ip, const char *port) MUST_CHECK;
int tcpaccess_remote(stralloc *s, const char *host, const char *ip, const char *info, const char *port) MUST_CHECK;

#endif
