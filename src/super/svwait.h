/* svwait: waits until services are up or down, woken by each new status file. */
#ifndef SUPER_SVWAIT_H
#define SUPER_SVWAIT_H

#include "base/now.h"
#include "base/strerr.h"
#include "super/svstate.h"

/* Until the service in dir is up ('u': its run started after the given status, or
 * was running before when since is null) or down ('d').  1, 0 at the deadline, -1
 * with e filled.  Blocks. */
int sv_wait(const char *dir, char what, const struct svstatus *since, deadline when,
            struct strerr *e) MUST_CHECK;

#endif
