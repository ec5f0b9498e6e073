/* send_daemon: see send_daemon.h. */
#include "send/send_daemon.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/scan.h"
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
  conf_free(&conf);
  return r;
}

/* Whoever started us and dies must not leave a second set of daemons behind: we are told by a signal from
 * here on, and look whether it has come to that already. */
static int tie_to_starter(struct strerr *e) {
  const char *starter = env_get(SEND_STARTER);
  uint64_t pid;

  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (!starter || !scan_u64_max(starter, strlen(starter), INT32_MAX, &pid) || (pid_t)pid == getppid()) return 0;
  return strerr_set(e, "whoever started us is gone", (char *)0);
}

static int run(const char *name, const char *rates, struct strerr *e) {
  stralloc dir = STRALLOC_INIT;
  int r = collection_enter(&dir, e);

  if (r == 0) r = tie_to_starter(e);
  if (r == 0 && lock_file_nb(QUEUE_SENDMUTEX) == -1)
    r = strerr_sys(e, "unable to lock ", dir.s, "/" QUEUE_SENDMUTEX, " (is qmail-send running?)", (char *)0);
  if (r == 0) r = ask_plugins(name, dir.s, e);
  if (r == 0) r = manager_run(collection_name(dir.s), rates, e);
  stralloc_free(&dir);
  return r;
}

int send_daemon(const char *name, const char *rates) {
  struct strerr e;
  int r = run(name, rates, &e);

  if (r != -1) return 0;
  LOG(MANAGER_LOG, "", alert, log_s(e.text));
  strerr_warnm(name, ": fatal: ", e.text, (char *)0); /* for who starts us by hand: else 2 is read from, a pipe of ours */
  return 111;
}
