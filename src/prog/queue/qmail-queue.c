/* qmail-queue: accept one message (fd 0) plus envelope (fd 1) and commit it to a
 * queue.  Set-uid qmailq: everything it may be told by its caller's environment is
 * marked OPEN in schema.def, and a queue directory must lie in the collection. */
#include <errno.h>
#include <fcntl.h>
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
#include "queue/choice.h"
#include "queue/collection.h"
#include "queue/exitcodes.h"
#include "queue/extras.h"

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
  signal(SIGXFSZ, SIG_IGN); /* a limit is an error of write like a full disk */
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
  int blind;

  if (collection_load(&c, conf, &e) == -1) return QQ_config;
  if (!choice_queue(&c, conf, pick, &dir, &blind)) code = QQ_memory;
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

/* A descriptor the caller named for texts of ours, or -1.  It must be open before we open
 * anything, or we would write into a file of the queue. */
static int callers_fd(uint64_t fd) {
  if (fd < 2 || fd > 1000 || fcntl((int)fd, F_GETFD) == -1) return -1;
  return fd == 2 || fd_cloexec((int)fd, 1) == 0 ? (int)fd : -1;
}

static int take_message(const struct conf *conf, int log_fd) {
  struct accept_origin o = {.uid = getuid(), .qp = (uint64_t)getpid(), .messid = conf_line(conf, SET_messid)};
  struct extras extras;
  int code;

  if (extras_load(&extras, conf, env_is_secure()) == -1) return QQ_memory;
  extras.log_fd = log_fd;
  o.extras = &extras;
  code = enter_queue(conf);
  if (code != QQ_queued) return code;
  if (!enough_room(conf_number(conf, SET_min_free))) return QQ_write;
  if (!conf_flag(conf, SET_hide_host)) o.host = conf_line(conf, SET_me);
  return accept_from_descriptors(&o, 0, 1);
}

/* In words, where the caller wants them: "Zqmail-queue: text: reason (#4.3.0)". */
static int explain(int code, int fd) {
  const char *reply = exitcodes_reply(code);
  const char *number = strstr(reply, " (#");
  const char *reason = errno ? strerror(errno) : 0;
  stralloc line = STRALLOC_INIT;

  if (code == QQ_queued || fd == -1) return code;
  if (!stralloc_append(&line, reply[0]) || !stralloc_catlit(&line, "qmail-queue: ") ||
      !stralloc_catb(&line, reply + 1, number ? (size_t)(number - reply - 1) : strlen(reply + 1)) ||
      (reason && *reply == 'Z' && !stralloc_catm(&line, ": ", reason, (char *)0)) ||
      !stralloc_catm(&line, number ? number : "", "\n", (char *)0) || fd_write_all(fd, line.s, line.len) == -1)
    return code;
  return QQ_custom;
}

int main(void) {
  int error_fd = -1, log_fd = -1;
  struct conf conf;
  struct strerr e;
  uint64_t fd;
  int code = QQ_config;

  umask(033);
  if (conf_load(&conf, CONF_QUEUE | CONF_EXTRAS, &e) == 0) {
    const char *named = conf_line(&conf, SET_error_fd);

    if (conf_flag(&conf, SET_queue_custom_error) && scan_u64(named, strlen(named), &fd)) error_fd = callers_fd(fd);
    log_fd = callers_fd(conf_number(&conf, SET_logheaderfd));
    set_signals(conf_number(&conf, SET_death));
    errno = 0;
    code = take_message(&conf, log_fd);
  }
  return explain(code, error_fd);
}
