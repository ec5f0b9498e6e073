/* qmail-daemon: one qmail-start per queue of the collection; starts again what dies.
 * TERM ends all of them in peace, HUP and ALRM are passed on. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/env.h"
#include "base/lock.h"
#include "base/loop.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "base/spawn.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "conf/paths.h"
#include "queue/collection.h"
#include "send/manager.h"
#include "send/send_daemon.h"

#define FATAL "qmail-daemon: fatal: "
#define WARNING "qmail-daemon: warning: "
#define PAUSE_MS 1000 /* between two starts of the same queue */

struct queue {
  pid_t pid; /* 0: not running */
  deadline not_before;
  struct loop_timer timer;
  uint64_t number;
};

static struct {
  struct loop loop;
  struct collection collection;
  struct env env;
  struct queue *queue;
  char **argv; /* arguments handed to qmail-start */
  int ending;
} daemon_state;

static void start_queue(void *ctx) {
  struct queue *q = ctx;
  stralloc path = STRALLOC_INIT;
  stralloc dir = STRALLOC_INIT;
  struct strerr e;
  struct spawn s = {.held = MANAGER_SIGNALS};

  if (daemon_state.ending) return;
  if (!paths_program("qmail-start", &path) || !collection_queue(&daemon_state.collection, q->number, &dir) ||
      !env_set(&daemon_state.env, "QUEUEDIR", dir.s) ||
      !env_setu64(&daemon_state.env, SEND_STARTER, (uint64_t)getpid()) ||
      !env_setu64(&daemon_state.env, "QIDENT", daemon_state.collection.start + q->number))
    strerr_die_nomem(FATAL);
  s.path = path.s;
  s.argv = daemon_state.argv;
  daemon_state.argv[0] = path.s;
  s.envp = env_vector(&daemon_state.env);
  spawn_move(&s, 0, 0);
  spawn_move(&s, 1, 1);
  spawn_move(&s, 2, 2);
  q->not_before = mono_now() + PAUSE_MS * NS_PER_MS;
  q->pid = spawn_start(&s, &e);
  if (q->pid == -1) {
    strerr_warn(WARNING, &e);
    q->pid = 0;
    if (loop_timer_set(&daemon_state.loop, &q->timer, q->not_before, start_queue, q) == -1) strerr_die_nomem(FATAL);
  }
  stralloc_free(&path);
  stralloc_free(&dir);
}

static int running(void) {
  for (uint64_t i = 0; i < daemon_state.collection.count; ++i)
    if (daemon_state.queue[i].pid) return 1;
  return 0;
}

static void reap(void) {
  int status;
  pid_t pid;

  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    for (uint64_t i = 0; i < daemon_state.collection.count; ++i) {
      struct queue *q = &daemon_state.queue[i];

      if (q->pid != pid) continue;
      q->pid = 0;
      if (!daemon_state.ending) {
        strerr_warnm(WARNING, "the daemons of a queue ended, starting them again", (char *)0);
        if (loop_timer_set(&daemon_state.loop, &q->timer, q->not_before, start_queue, q) == -1)
          strerr_die_nomem(FATAL);
      }
    }
  if (daemon_state.ending && !running()) loop_stop(&daemon_state.loop);
}

static void tell_all(int sig) {
  for (uint64_t i = 0; i < daemon_state.collection.count; ++i)
    if (daemon_state.queue[i].pid) kill(daemon_state.queue[i].pid, sig);
}

static void on_signal(void *ctx, int fd, unsigned events) {
  int sig;

  (void)ctx;
  (void)events;
  while ((sig = sigfd_next(fd)) > 0) {
    if (sig == SIGCHLD) continue;
    if (sig == SIGTERM || sig == SIGINT) daemon_state.ending = 1;
    tell_all(sig == SIGINT ? SIGTERM : sig);
  }
  reap();
}

int main(int argc, char **argv) {
  static const struct option none[] = {{0, 0, 0, 0}};
  int first = options_or_die(argc, argv, none, "qmail-daemon [defaultdelivery [logger arg...]]", 0, -1);
  stralloc lock = STRALLOC_INIT;
  struct loop_io io = {0};
  struct conf conf;
  struct strerr e;
  int sigfd;

  if (conf_load(&conf, CONF_SEND, &e) == -1 || collection_load(&daemon_state.collection, &conf, &e) == -1)
    strerr_die(111, FATAL, &e);
  if (!stralloc_copy(&lock, &daemon_state.collection.base) || !stralloc_catlit(&lock, "/qmail-daemon.lock") ||
      !env_import(&daemon_state.env))
    strerr_die_nomem(FATAL);
  if (lock_file_nb(lock.s) == -1)
    strerr_diem_sys(111, FATAL, "unable to lock ", lock.s, " (is qmail-daemon running?)", (char *)0);
  daemon_state.argv = argv + first - 1; /* argv[0] becomes qmail-start */
  daemon_state.queue = calloc(daemon_state.collection.count, sizeof *daemon_state.queue);
  sigfd = sigfd_open(SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGUSR1, SIGUSR2, 0);
  if (!daemon_state.queue || sigfd == -1 || loop_init(&daemon_state.loop) == -1 ||
      loop_io_add(&daemon_state.loop, &io, sigfd, LOOP_READ, on_signal, 0) == -1)
    strerr_diem_sys(111, FATAL, "unable to start", (char *)0);
  for (uint64_t i = 0; i < daemon_state.collection.count; ++i) {
    daemon_state.queue[i].number = i;
    start_queue(&daemon_state.queue[i]);
  }
  if (loop_run(&daemon_state.loop) == -1) strerr_diem_sys(111, FATAL, "unable to wait for events", (char *)0);
  return 0;
}
