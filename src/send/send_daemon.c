/* send_daemon: see send_daemon.h. */
#include "send/send_daemon.h"

#include <signal.h>
#include <sys/prctl.h>

#include "base/lock.h"
#include "queue/collection.h"
#include "queue/queuepath.h"
#include "send/manager.h"

int send_daemon(const char *rates, struct strerr *e) {
  stralloc dir = STRALLOC_INIT;
  int r = collection_enter(&dir, e);

  /* Whoever started us and dies must not leave a second set of daemons behind. */
  if (r == 0) prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (r == 0 && lock_file_nb(QUEUE_SENDMUTEX) == -1)
    r = strerr_sys(e, "unable to lock ", dir.s, "/" QUEUE_SENDMUTEX, " (is qmail-send running?)", (char *)0);
  if (r == 0) r = manager_run(collection_name(dir.s), rates, e);
  stralloc_free(&dir);
  return r;
}
