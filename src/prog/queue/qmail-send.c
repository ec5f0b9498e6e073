/* qmail-send: schedule the deliveries of one queue, retry, bounce, log.  Started by
 * qmail-start, which sets descriptors 0 to 8. */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "queue/collection.h"
#include "queue/queuepath.h"
#include "send/manager.h"
#include "send/start_plugin.h"

#define FATAL "qmail-send: fatal: "

/* Plugins speak before anything is delivered. */
static void ask_plugins(const char *queue) {
  struct conf conf;
  struct strerr e;
  int r = conf_load(&conf, CONF_SEND, &e);

  for (int fd = 0; fd <= MANAGER_FROM_TODO; ++fd) (void)!fd_cloexec(fd, 1);
  if (r == 0) r = start_plugins(&conf, "qmail-send", queue, MANAGER_LOG, &e);
  if (r == -1) {
    LOG(MANAGER_LOG, "", alert, log_s(e.text)); /* descriptor 2 is a pipe here */
    _exit(111);
  }
  conf_free(&conf);
}

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
  ask_plugins(dir.s);
  if (manager_run(collection_name(dir.s), &e) == -1) strerr_die(111, FATAL, &e);
  return 0;
}
