/* qmail-queue: accept one message (fd 0) plus envelope (fd 1) and commit it to a
 * queue.  Set-uid qmailq: everything it may be told by its caller's environment is
 * marked OPEN in schema.def, and a queue directory must lie in the collection. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/now.h"
#include "base/scan.h"
#include "base/sigfd.h"
#include "conf/conf.h"
#include "queue/accept.h"
#include "queue/collection.h"
#include "queue/exitcodes.h"

static void die_timer(int sig) {
  (void)sig;
  _exit(QQ_timer); /* what is left is swept by qmail-clean */
}

static void die_bug(int sig) {
  (void)sig;
  _exit(QQ_bug);
}

static void set_signals(uint64_t death) {
  static const int bugs[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGABRT};

  sig_ignore_pipe();
  signal(SIGALRM, die_timer);
  for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; ++i) signal(bugs[i], die_bug);
  alarm(death > 0 && death < 1000000 ? (unsigned)death : 86400);
}

/* A queue named by a caller who has fewer rights than we must be one of ours. */
static int may_use(const struct collection *c, const char *dir) {
  size_t n = c->base.len;

  if (!env_is_secure()) return 1;
  return !strncmp(dir, c->base.s, n) && dir[n] == '/' && file_name_ok(dir + n + 1, strlen(dir + n + 1));
}

static int enter_queue(const struct conf *conf) {
  struct collection c;
  struct strerr e;
  stralloc dir = STRALLOC_INIT;
  uint64_t pick = (uint64_t)getpid() + (uint64_t)wall_now_us();
  int code = QQ_queued;

  if (collection_load(&c, conf, &e) == -1) return QQ_config;
  if (!collection_choose(&c, conf, pick, &dir)) code = QQ_memory;
  else if (!may_use(&c, dir.s)) code = QQ_chdir;
  else if (chdir(dir.s) == -1) code = QQ_chdir;
  collection_free(&c);
  stralloc_free(&dir);
  return code;
}

static int enough_room(uint64_t min_free) {
  struct statvfs fs;

  if (!min_free) return 1;
  return statvfs(".", &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize >= min_free;
}

int main(void) {
  struct accept_origin o = {.uid = getuid(), .qp = (uint64_t)getpid()};
  struct conf conf;
  struct strerr e;
  int code;

  umask(033);
  if (conf_load(&conf, CONF_QUEUE, &e) == -1) return QQ_config;
  set_signals(conf_number(&conf, SET_death));
  code = enter_queue(&conf);
  if (code != QQ_queued) return code;
  if (!enough_room(conf_number(&conf, SET_min_free))) return QQ_write;
  if (!conf_flag(&conf, SET_hide_host)) o.host = conf_line(&conf, SET_me);
  return accept_from_descriptors(&o, 0, 1);
}
