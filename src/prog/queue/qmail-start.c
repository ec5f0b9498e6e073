/* qmail-start: start the daemons of one queue, each as its own user, wire their pipes
 * and become qmail-send.  The whole wiring is the table below. */
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/options.h"
#include "base/spawn.h"
#include "base/strerr.h"
#include "conf/accounts.h"
#include "conf/conf.h"
#include "conf/paths.h"
#include "queue/collection.h"
#include "send/manager.h"

#define FATAL "qmail-start: fatal: "
#define SLOW_QUEUE "slowq" /* the queue of this name is slowq-send's */

/* program, user, its input (which descriptor of qmail-send writes to it), its output */
static const struct daemon {
  const char *program, *user;
  int from_send, to_send;
} daemons[] = {
    {"qmail-lspawn", "root", MANAGER_TO_LOCAL, MANAGER_FROM_LOCAL},
    {"qmail-rspawn", "qmailr", MANAGER_TO_REMOTE, MANAGER_FROM_REMOTE},
    {"qmail-clean", "qmailq", MANAGER_TO_CLEAN, MANAGER_FROM_CLEAN},
    {"todo-proc", "qmails", MANAGER_TO_TODO, MANAGER_FROM_TODO},
};
#define DAEMONS (sizeof daemons / sizeof daemons[0])

static void start(const struct daemon *d, int in, int out, const char *argument, const char *dir) {
  stralloc path = STRALLOC_INIT;
  char *argv[3] = {0, 0, 0};
  struct spawn s = {.cwd = dir};
  struct account a;
  struct strerr e;

  if (accounts_find(d->user, &a, &e) == -1) strerr_die(111, FATAL, &e);
  if (!paths_program(d->program, &path)) strerr_die_nomem(FATAL);
  argv[0] = path.s;
  argv[1] = (char *)(uintptr_t)argument;
  s.path = path.s;
  s.argv = argv;
  accounts_apply(&a, &s);
  spawn_move(&s, in, 0);
  spawn_move(&s, out, 1);
  spawn_move(&s, 2, 2);
  if (spawn_start(&s, &e) == -1) strerr_die(111, FATAL, &e);
  stralloc_free(&path);
}

/* Before anybody looks at the queue it is made what it was before a power loss.  Without
 * that, mail that was accepted could be taken for mail that never was. */
static void recover(const char *dir) {
  stralloc path = STRALLOC_INIT;
  char *argv[3] = {0, (char *)(uintptr_t) "-r", 0};
  struct spawn s = {.cwd = dir};
  struct account a;
  struct strerr e;
  pid_t pid;

  if (accounts_find("qmailq", &a, &e) == -1) strerr_die(111, FATAL, &e);
  if (!paths_program("qmail-clean", &path)) strerr_die_nomem(FATAL);
  argv[0] = path.s;
  s.path = path.s;
  s.argv = argv;
  accounts_apply(&a, &s);
  spawn_move(&s, 2, 2);
  pid = spawn_start(&s, &e);
  if (pid == -1) strerr_die(111, FATAL, &e);
  if (spawn_wait(pid) != 0) strerr_diem(111, FATAL, "unable to recover queue ", dir, (char *)0);
  stralloc_free(&path);
}

/* A program that reads the log, as qmaill: the descriptor that leads to it. */
static int start_logger(char **argv) {
  struct spawn s = {.path = argv[0], .argv = argv, .cwd = "/"};
  struct account a;
  struct strerr e;
  int p[2];

  if (accounts_find("qmaill", &a, &e) == -1) strerr_die(111, FATAL, &e);
  if (fd_pipe(p) == -1) strerr_diem_sys(111, FATAL, "unable to make a pipe", (char *)0);
  accounts_apply(&a, &s);
  spawn_move(&s, p[0], 0);
  spawn_move(&s, 2, 2);
  if (spawn_start(&s, &e) == -1) strerr_die(111, FATAL, &e);
  fd_close(p[0]);
  return p[1];
}

static void become_send(int to[DAEMONS], int from[DAEMONS], int log, const char *dir) {
  const char *sender = strcmp(collection_name(dir), SLOW_QUEUE) ? "qmail-send" : "slowq-send";
  stralloc path = STRALLOC_INIT;
  char *argv[2] = {0, 0};
  struct spawn s = {.cwd = dir, .held = MANAGER_SIGNALS};
  struct account a;
  struct strerr e;

  if (accounts_find("qmails", &a, &e) == -1) strerr_die(111, FATAL, &e);
  if (!paths_program(sender, &path)) strerr_die_nomem(FATAL);
  argv[0] = path.s;
  s.path = path.s;
  s.argv = argv;
  accounts_apply(&a, &s);
  spawn_move(&s, log, MANAGER_LOG);
  for (size_t i = 0; i < DAEMONS; ++i) {
    spawn_move(&s, to[i], daemons[i].from_send);
    spawn_move(&s, from[i], daemons[i].to_send);
  }
  (void)!spawn_exec(&s, &e);
  strerr_die(111, FATAL, &e);
}

int main(int argc, char **argv) {
  static const struct option none[] = {{0, 0, 0, 0}};
  int first = options_or_die(argc, argv, none, "qmail-start [defaultdelivery [logger arg...]]", 0, -1);
  stralloc dir = STRALLOC_INIT;
  struct collection c;
  struct conf conf;
  struct strerr e;
  int to[DAEMONS], from[DAEMONS];
  int log = 1;

  sig_hold(MANAGER_SIGNALS);
  if (conf_load(&conf, CONF_SEND, &e) == -1 || collection_load(&c, &conf, &e) == -1) strerr_die(111, FATAL, &e);
  if (!collection_choose(&c, &conf, 0, &dir)) strerr_die_nomem(FATAL);
  recover(dir.s);
  for (size_t i = 0; i < DAEMONS; ++i) {
    const char *argument = !strcmp(daemons[i].program, "qmail-lspawn")
                               ? (first < argc ? argv[first] : conf_line(&conf, SET_defaultdelivery))
                               : 0;
    int in[2], out[2];

    if (fd_pipe(in) == -1 || fd_pipe(out) == -1) strerr_diem_sys(111, FATAL, "unable to make a pipe", (char *)0);
    start(&daemons[i], in[0], out[1], argument, dir.s);
    fd_close(in[0]);
    fd_close(out[1]);
    to[i] = in[1];
    from[i] = out[0];
  }
  if (argc - first > 1) log = start_logger(argv + first + 1);
  become_send(to, from, log, dir.s);
}
