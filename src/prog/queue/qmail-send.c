/* qmail-send: schedule the deliveries of one queue, retry, bounce, log.  Started by
 * qmail-start, which sets descriptors 0 to 8. */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/strerr.h"
#include "queue/collection.h"
#include "queue/queuepath.h"
#include "send/manager.h"

#define FATAL "qmail-send: fatal: "

int main(int argc, char **argv) {
  stralloc dir = STRALLOC_INIT;
  struct strerr e;

  (void)argv;
  if (argc > 1) strerr_die_usage("qmail-send (started by qmail-start)");
  if (collection_enter(&dir, &e) == -1) strerr_die(111, FATAL, &e);
  /* Whoever started us and dies must not leave a second set of daemons behind. */
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (lock_file_nb(QUEUE_SENDMUTEX) == -1)
    strerr_diem_sys(111, FATAL, "unable to lock ", dir.s, "/" QUEUE_SENDMUTEX, " (is qmail-send running?)", (char *)0);
  if (manager_run(collection_name(dir.s), &e) == -1) strerr_die(111, FATAL, &e);
  return 0;
}
