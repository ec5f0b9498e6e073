/* send_daemon: see send_daemon.h. */
#include "send/send_daemon.h"

#include <signal.h>
#include <sys/prctl.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "queue/collection.h"
#include "queue/queuepath.h"
#include "send/manager.h"
#include "send/start_plugin.h"

/* Plugins speak before anything is delivered. */
static int ask_plugins(const char *name, const char *queue, struct strerr *e) {
  struct conf conf;
  int r = conf_load(&conf, CONF_SEND, e);

  for (int fd = 0; fd <= MANAGER_FROM_TODO; ++fd) (void)!fd_cloexec(fd, 1);
  if (r == 0) r = start_plugins(&conf, name, queue, MANAGER_LOG, e);
  if (r == -1) LOG(MANAGER_LOG, "", alert, log_s(e->text)); /* descriptor 2 is no place for it: a pipe of ours */
  conf_free(&conf);
  return r;
}

int send_daemon(const char *name, const char *rates, struct strerr *e) {
  stralloc dir = STRALLOC_INIT;
  int r = collection_enter(&dir, e);

  /* Whoever started us and dies must not leave a second set of daemons behind. */
  if (r == 0) prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (r == 0 && lock_file_nb(QUEUE_SENDMUTEX) == -1)
    r = strerr_sys(e, "unable to lock ", dir.s, "/" QUEUE_SENDMUTEX, " (is qmail-send running?)", (char *)0);
  if (r == 0) r = ask_plugins(name, dir.s, e);
  if (r == 0) r = manager_run(collection_name(dir.s), rates, e);
  stralloc_free(&dir);
  return r;
}
