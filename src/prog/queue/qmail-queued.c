/* qmail-queued: the resident form of qmail-queue.  Listens on RUN/queue/socket as
 * qmailq; a few workers, each of which takes all messages that have come together as one
 * batch.  Where it does not run, injectors start qmail-queue. */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "base/strerr.h"
#include "conf/accounts.h"
#include "conf/conf.h"
#include "conf/paths.h"
#include "queue/queued.h"
#include "queue/queued_proto.h"

#define FATAL "qmail-queued: fatal: "
#define USAGE "qmail-queued [-n workers]"
#define USUAL_MAX 4
#define WORKERS_MAX 256

/* The socket, in a directory of qmailq's, open to every local user like qmail-queue. */
static int make_socket(const struct account *a) {
  struct sockaddr_un sa = {.sun_family = AF_UNIX};
  stralloc path = STRALLOC_INIT;
  stralloc dir = STRALLOC_INIT;
  int fd;

  if (!paths_get(PATH_RUN, &dir) || !paths_file(PATH_RUN, QUEUED_SOCKET, &path)) strerr_die_nomem(FATAL);
  if (file_mkdir(dir.s, 0755) == -1) strerr_diem_sys(111, FATAL, "unable to make directory ", dir.s, (char *)0);
  if (file_dirname(path.s, &dir) == -1) strerr_die_nomem(FATAL);
  if (file_mkdir(dir.s, 0755) == -1) strerr_diem_sys(111, FATAL, "unable to make directory ", dir.s, (char *)0);
  if (geteuid() == 0 && chown(dir.s, a->uid, a->gid) == -1) strerr_diem_sys(111, FATAL, "unable to chown ", dir.s, (char *)0);
  if (path.len >= sizeof sa.sun_path) strerr_diem(100, FATAL, "the path of the socket is too long: ", path.s, (char *)0);
  memcpy(sa.sun_path, path.s, path.len + 1);
  unlink(path.s);
  fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd == -1 || bind(fd, (struct sockaddr *)&sa, sizeof sa) == -1 || chmod(path.s, 0666) == -1 || listen(fd, 512) == -1)
    strerr_diem_sys(111, FATAL, "unable to listen on ", path.s, (char *)0);
  stralloc_free(&path);
  stralloc_free(&dir);
  return fd;
}

static void become(const struct account *a) {
  if (geteuid() != 0) return;
  if (setgroups(a->ngroups, a->groups) == -1 || setresgid(a->gid, a->gid, a->gid) == -1 ||
      setresuid(a->uid, a->uid, a->uid) == -1)
    strerr_diem_sys(111, FATAL, "unable to become qmailq", (char *)0);
}

static void worker(int listener, const struct conf *conf, const sigset_t *usual) {
  struct strerr e;

  prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigprocmask(SIG_SETMASK, usual, 0);
  if (queued_serve(listener, conf, &e) == -1) strerr_die(111, FATAL, &e);
  _exit(0);
}

/* Keeps n workers running until TERM.  The signals are blocked and waited for, so none
 * can come between a look and a wait. */
static void keep(int listener, const struct conf *conf, uint64_t n) {
  pid_t pid[WORKERS_MAX] = {0};
  sigset_t watched, usual;
  int sig = SIGCHLD;

  sigemptyset(&watched);
  sigaddset(&watched, SIGTERM);
  sigaddset(&watched, SIGCHLD);
  sigprocmask(SIG_BLOCK, &watched, &usual);
  while (sig != SIGTERM) {
    static const struct timespec again = {1, 0};
    int missing = 0;
    pid_t dead;

    for (uint64_t i = 0; i < n; ++i) {
      if (pid[i] > 0) continue;
      pid[i] = fork();
      if (pid[i] == 0) worker(listener, conf, &usual);
      if (pid[i] == -1) {
        strerr_warnm_sys("qmail-queued: warning: ", "unable to start a worker", (char *)0);
        missing = 1;
      }
    }
    sig = sigtimedwait(&watched, 0, missing ? &again : 0);
    while ((dead = waitpid(-1, 0, WNOHANG)) > 0)
      for (uint64_t i = 0; i < n; ++i)
        if (pid[i] == dead) pid[i] = 0;
    if (sig == SIGCHLD) usleep(10000); /* whatever kills workers must not make us spin */
  }
  for (uint64_t i = 0; i < n; ++i)
    if (pid[i] > 0) kill(pid[i], SIGTERM);
}

/* A worker waits for the disk most of the time, and what comes meanwhile shares the next sync: the fewer, the more
 * does.  Where there are many processors one would be too busy itself. */
static uint64_t usual_workers(void) {
  long n = sysconf(_SC_NPROCESSORS_ONLN) / 4;

  return n < 1 ? 1 : n > USUAL_MAX ? USUAL_MAX : (uint64_t)n;
}

int main(int argc, char **argv) {
  uint64_t workers = usual_workers();
  const struct option options[] = {{'n', OPTION_U64, &workers, WORKERS_MAX}, {0, 0, 0, 0}};
  struct account a;
  struct conf conf;
  struct strerr e;
  int listener;

  options_or_die(argc, argv, options, USAGE, 0, 0);
  if (!workers) strerr_die_usage(USAGE);
  umask(022);
  sig_ignore_pipe();
  signal(SIGXFSZ, SIG_IGN); /* a limit is an error of write like a full disk */
  if (conf_load(&conf, CONF_QUEUE, &e) == -1 || accounts_find("qmailq", &a, &e) == -1) strerr_die(111, FATAL, &e);
  listener = make_socket(&a);
  become(&a);
  umask(033);
  keep(listener, &conf, workers);
  return 0;
}
