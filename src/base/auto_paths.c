/* auto_paths: see auto_paths.h.  The makefile defines the values; this object is
 * linked anew for each root (installation, demo, tests). */
#include "base/auto_paths.h"

const char auto_prefix[] = AUTO_PREFIX;
const char auto_sysconfdir[] = AUTO_SYSCONFDIR;
const char auto_home[] = AUTO_HOME;
const char auto_logdir[] = AUTO_LOGDIR;
const char auto_rundir[] = AUTO_RUNDIR;
const char auto_servicedir[] = AUTO_SERVICEDIR;
const char auto_mailbase[] = AUTO_MAILBASE;
