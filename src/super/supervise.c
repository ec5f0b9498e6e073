/* supervise: see supervise.h. */
#include "super/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/fmt.h"
#include "base/lock.h"
#include "base/loop.h"
#include "base/sigfd.h"
#include "base/spawn.h"
#include "super/procstat.h"
#include "super/svstate.h"

#define RESTART_S 1 /* at least so long between two starts of our own accord */
#define INIT_S 60   /* after an init that failed */

enum job { JOB_NONE, JOB_INIT = 'i', JOB_RUN = 'r' };

/* DIR/supervise/child: whose boot, what is running, and what the child wrote. */
struct child_file {
  char boot[BOOT_ID_SIZE];
  char job, pad[3];
  struct spawn_record record;
};

struct supervise {
  const struct supervise_options *o;
  struct loop loop;
  struct loop_io signals, control, adopted, parent;
  struct loop_timer start;
  int fd_child;
  char boot[BOOT_ID_SIZE];
  enum job job;
  pid_t pid;
  pid_t hook; /* the shutdown script */
  deadline started;
  deadline next; /* when start will fire */
  char want;
  int paused, exiting, group;
};

static void start(struct supervise *s);

static void warn(const struct supervise *s, const struct strerr *e) {
  strerr_warnm("supervise: ", s->o->dir, ": ", e->text, (char *)0);
}

static void warn_sys(const struct supervise *s, const char *what) {
  struct strerr e;

  strerr_sys(&e, "unable to ", what, (char *)0);
  warn(s, &e);
}

/* --- status ---------------------------------------------------------------------------------- */

static void write_status(struct supervise *s, const char buf[SVSTATUS_SIZE]) {
  int fd = fd_open_trunc("supervise/status.new", 0644);

  if (fd == -1 || fd_write_all(fd, buf, SVSTATUS_SIZE) == -1) {
    warn_sys(s, "write supervise/status.new");
    fd_close(fd);
    return;
  }
  fd_close(fd);
  if (rename("supervise/status.new", "supervise/status") == -1)
    warn_sys(s, "rename supervise/status.new");
}

/* changed: the service went up or down, so the time counts from now. */
static void announce(struct supervise *s, struct tai64n *since, int changed) {
  struct svstatus st = {.pid = (uint32_t)s->pid, .paused = s->paused, .want = s->want};
  char buf[SVSTATUS_SIZE];

  if (changed) tai64n_now(since);
  st.since = *since;
  st.up = s->job == JOB_RUN;
  if (s->start.at.slot) {
    deadline left = s->next - mono_now();

    st.wait = left > 0 ? (uint16_t)((left + NS_PER_S - 1) / NS_PER_S) : 0;
  }
  svstatus_pack(buf, &st);
  write_status(s, buf);
}

static void announce_now(struct supervise *s) {
  struct tai64n now;

  announce(s, &now, 1);
}

/* A flag changed: the time in the file stays. */
static void announce_same(struct supervise *s) {
  struct svstatus old;
  struct strerr e;

  if (sv_status(".", &old, &e) == 1) announce(s, &old.since, 0);
  else announce_now(s);
}

/* --- the child --------------------------------------------------------------------------------- */

static int pidfd_open_pid(pid_t pid) {
  return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Makes supervise/child ready for the record of a child to come, or empty. */
static int prepare_record(struct supervise *s, enum job job) {
  struct child_file f;

  memset(&f, 0, sizeof f);
  memcpy(f.boot, s->boot, sizeof f.boot);
  f.job = (char)job;
  if (ftruncate(s->fd_child, 0) == -1 || lseek(s->fd_child, 0, SEEK_SET) == -1) return -1;
  if (job == JOB_NONE) return 0;
  return fd_write_all(s->fd_child, (const char *)&f, offsetof(struct child_file, record));
}

static void send(struct supervise *s, int sig) {
  pid_t group = s->group ? getpgid(s->pid) : -1;

  if (!s->pid) return;
  if (group > 1 && group != getpgrp()) kill(-group, sig);
  else if (s->adopted.active) syscall(SYS_pidfd_send_signal, s->adopted.fd, sig, 0, 0);
  else kill(s->pid, sig);
}

static void on_start_timer(void *ctx) {
  start(ctx);
}

static void start_in(struct supervise *s, deadline when) {
  s->next = when;
  if (loop_timer_set(&s->loop, &s->start, when, on_start_timer, s) == -1) warn_sys(s, "set a timer");
}

static void start(struct supervise *s) {
  enum job job = s->job == JOB_NONE && sv_has(".", "init") == 1 ? JOB_INIT : JOB_RUN;
  const char *argv[2] = {job == JOB_INIT ? "./init" : "./run", 0};
  struct spawn sp = {.path = argv[0], .argv = (char *const *)argv, .new_group = s->o->new_group};
  struct strerr e;
  pid_t pid;

  if (s->pid || s->exiting) return;
  loop_timer_cancel(&s->loop, &s->start);
  s->started = mono_now();
  if (prepare_record(s, job) == -1) {
    warn_sys(s, "write supervise/child");
    start_in(s, deadline_in(RESTART_S));
    return;
  }
  sp.record_fd = s->fd_child;
  pid = spawn_start(&sp, &e);
  if (pid == -1) {
    warn(s, &e);
    s->job = JOB_NONE;
    start_in(s, deadline_in(RESTART_S));
    announce_same(s);
    return;
  }
  s->pid = pid;
  s->job = job;
  s->paused = 0;
  announce_now(s);
}

/* A script beside run, told who we are; its end is seen by SIGCHLD. */
static pid_t run_script(struct supervise *s, const char *script, const char *arg) {
  const char *argv[4] = {script, s->o->dir, arg, 0};
  struct spawn sp = {.path = script, .argv = (char *const *)argv};
  struct strerr e;
  pid_t pid;

  if (sv_has(".", script) != 1) return 0;
  pid = spawn_start(&sp, &e);
  if (pid == -1) warn(s, &e);
  return pid == -1 ? 0 : pid;
}

/* status -1: the process was taken over, so nobody told us how it ended. */
static void alert(struct supervise *s, pid_t pid, int status) {
  char p[FMT_U64 + 1], code[FMT_U64 + 1];
  const char *how = status == -1 ? "unknown" : WIFEXITED(status) ? "exited" : "signalled";
  int n = status == -1 ? 0 : WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
  const char *argv[6] = {"./alert", s->o->dir, fmt_u64_z(p, (uint64_t)pid),
                   fmt_u64_z(code, (uint64_t)n), how, 0};
  struct spawn sp = {.path = argv[0], .argv = (char *const *)argv};
  struct strerr e;

  if (sv_has(".", "alert") == 1 && spawn_start(&sp, &e) == -1) warn(s, &e);
}

static void ended(struct supervise *s, int status) {
  enum job was = s->job;
  pid_t pid = s->pid;
  int init_ok = was == JOB_INIT && status != -1 && spawn_code(status) == 0;

  s->pid = 0;
  s->paused = 0;
  s->group = 0;
  s->job = JOB_NONE;
  if (prepare_record(s, JOB_NONE) == -1) warn_sys(s, "empty supervise/child");
  if (was == JOB_RUN) alert(s, pid, status);
  if (s->exiting) {
    announce_now(s);
    loop_stop(&s->loop);
    return;
  }
  if (init_ok && s->want != 'd') {
    s->job = JOB_INIT; /* so that start goes on with run */
    start(s);
    return;
  }
  if (was == JOB_INIT && s->want != 'd')
    start_in(s, deadline_in(INIT_S));
  else if (s->want == 'u')
    start_in(s, s->started + RESTART_S * NS_PER_S);
  announce_now(s);
}

static void on_adopted_end(void *ctx, int fd, unsigned events) {
  struct supervise *s = ctx;

  (void)events;
  loop_io_remove(&s->loop, &s->adopted);
  fd_close(fd);
  ended(s, -1);
}

/* The service of a supervise that was killed: 1 taken over, 0 there is none, -1. */
static int take_over(struct supervise *s, struct strerr *e) {
  struct child_file f;
  struct procstat p;
  int r = fd_read_all(s->fd_child, (char *)&f, sizeof f);
  int fd;

  if (r == -1) return strerr_sys(e, "unable to read ", s->o->dir, "/supervise/child", (char *)0);
  if (r == 0 || memcmp(f.boot, s->boot, sizeof f.boot)) return 0;
  if (f.record.pid <= 1 || f.record.pid > INT32_MAX) return 0;
  fd = pidfd_open_pid((pid_t)f.record.pid);
  if (fd == -1 && errno == ESRCH) return 0;
  if (fd == -1) return strerr_sys(e, "unable to watch the service left behind", (char *)0);
  if (procstat_read((pid_t)f.record.pid, &p) != 1 || p.started > f.record.boottime) {
    fd_close(fd);
    return 0;
  }
  fd_cloexec(fd, 1);
  if (loop_io_add(&s->loop, &s->adopted, fd, LOOP_READ, on_adopted_end, s) == -1)
    return strerr_sys(e, "unable to watch the service left behind", (char *)0);
  s->pid = (pid_t)f.record.pid;
  s->job = f.job == JOB_INIT ? JOB_INIT : JOB_RUN;
  s->started = mono_now();
  return 1;
}

/* --- commands ----------------------------------------------------------------------------------- */

static void terminate(struct supervise *s) {
  send(s, SIGTERM);
  send(s, SIGCONT);
  s->paused = 0;
}

static void stop(struct supervise *s) {
  char pid[FMT_U64 + 1];

  loop_timer_cancel(&s->loop, &s->start);
  if (s->pid && s->job == JOB_RUN && !s->hook)
    s->hook = run_script(s, "./shutdown", fmt_u64_z(pid, (uint64_t)s->pid));
  if (!s->hook) terminate(s);
}

static void go_down(struct supervise *s) {
  s->want = 'd';
  stop(s);
}

static void go_up(struct supervise *s) {
  s->want = 'u';
  start(s);
}

static void go_once(struct supervise *s) {
  s->want = 0;
  start(s);
}

static void restart(struct supervise *s) {
  s->want = 'u';
  if (s->pid) stop(s);
  else start(s);
}

static void leave(struct supervise *s) {
  s->exiting = 1;
  if (s->pid) return;
  loop_timer_cancel(&s->loop, &s->start);
  loop_stop(&s->loop);
}

static void pause_child(struct supervise *s) {
  s->paused = s->pid != 0;
  send(s, SIGSTOP);
}

static void continue_child(struct supervise *s) {
  s->paused = 0;
  send(s, SIGCONT);
}

static const struct command {
  char letter;
  int sig;
  void (*fn)(struct supervise *s);
} commands[] = {
    {'u', 0, go_up},   {'d', 0, go_down},     {'o', 0, go_once},        {'x', 0, leave},
    {'r', 0, restart}, {'p', 0, pause_child}, {'c', 0, continue_child}, {'h', SIGHUP, 0},
    {'a', SIGALRM, 0}, {'i', SIGINT, 0},      {'t', SIGTERM, 0},        {'q', SIGQUIT, 0},
    {'1', SIGUSR1, 0}, {'U', SIGUSR1, 0},     {'2', SIGUSR2, 0},        {'k', SIGKILL, 0},
};

static void command(struct supervise *s, char letter) {
  if (letter == 'G') {
    s->group = 1;
    return;
  }
  for (size_t i = 0; i < sizeof commands / sizeof commands[0]; ++i) {
    if (commands[i].letter != letter) continue;
    if (commands[i].fn) commands[i].fn(s);
    else send(s, commands[i].sig);
    announce_same(s);
  }
  s->group = 0;
}

static void on_control(void *ctx, int fd, unsigned events) {
  struct supervise *s = ctx;
  char buf[64];
  ssize_t n = read(fd, buf, sizeof buf);

  (void)events;
  for (ssize_t i = 0; i < n; ++i) command(s, buf[i]);
}

static void end_with_service(struct supervise *s) {
  s->exiting = 1;
  go_down(s);
  if (s->pid) announce_same(s);
  else leave(s);
}

/* A logger, which reads from a pipe, ends by itself when it has read all of it. */
static void on_parent_end(void *ctx, int fd, unsigned events) {
  struct supervise *s = ctx;
  struct stat st;

  (void)events;
  loop_io_remove(&s->loop, &s->parent);
  fd_close(fd);
  if (fstat(0, &st) == -1 || !S_ISFIFO(st.st_mode)) {
    end_with_service(s);
    return;
  }
  s->want = 0;
  leave(s);
}

static void reap(struct supervise *s) {
  int status;
  pid_t pid;

  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid == s->pid) {
      ended(s, status);
    } else if (pid == s->hook) {
      s->hook = 0;
      /* A script that failed has stopped nothing. */
      if (spawn_code(status) != 0) terminate(s);
    }
  }
}

static void on_signal(void *ctx, int fd, unsigned events) {
  struct supervise *s = ctx;
  int sig;

  (void)events;
  while ((sig = sigfd_next(fd)) > 0) {
    if (sig == SIGCHLD) reap(s);
    else end_with_service(s);
  }
}

/* --- setting up --------------------------------------------------------------------------------- */

static int fifo(const char *path) {
  struct stat st;

  if (mkfifo(path, 0600) == 0) return 0;
  return errno == EEXIST && stat(path, &st) == 0 && S_ISFIFO(st.st_mode) ? 0 : -1;
}

/* supervise may be a symbolic link to a place that is empty after each boot. */
static int make_state_dir(void) {
  char to[4096];
  ssize_t n;

  if (file_mkdir("supervise", 0700) == 0) return 0;
  n = readlink("supervise", to, sizeof to - 1);
  if (n == -1) return -1;
  to[n] = 0;
  return file_mkdir(to, 0700);
}

/* Everything below DIR/supervise; fills what with the step that failed. */
static int open_state(struct supervise *s, const char **what, int *fd_control) {
  int lock;

  *what = "make directory supervise";
  if (make_state_dir() == -1) return -1;
  *what = "lock supervise/lock (is a supervise running?)";
  lock = lock_file_nb("supervise/lock");
  if (lock == -1) return -1;
  *what = "open supervise/control";
  if (fifo("supervise/control") == -1) return -1;
  *fd_control = fd_open_read("supervise/control");
  if (*fd_control == -1 || fd_open_write_nonblock("supervise/control") == -1) return -1;
  *what = "open supervise/child";
  s->fd_child = open("supervise/child", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (s->fd_child == -1) return -1;
  *what = "read the id of this boot";
  return procstat_boot_id(s->boot);
}

/* Last of all: who sees ok open may send commands. */
static int open_ok(void) {
  return fifo("supervise/ok") == -1 || fd_open_read("supervise/ok") == -1 ? -1 : 0;
}

static int watch_parent(struct supervise *s) {
  pid_t parent = getppid();
  int fd = pidfd_open_pid(parent);

  if (fd == -1) return -1;
  if (getppid() != parent) {
    errno = ESRCH;
    return fd_close(fd);
  }
  fd_cloexec(fd, 1);
  return loop_io_add(&s->loop, &s->parent, fd, LOOP_READ, on_parent_end, s);
}

static int begin(struct supervise *s, struct strerr *e) {
  struct svstatus old;
  int taken = take_over(s, e);

  if (taken == -1) return -1;
  s->want = sv_has(".", "down") == 1 ? 'd' : 'u';
  if (taken && sv_status(".", &old, e) == 1) {
    s->want = old.want;
    s->paused = old.paused;
    if (s->want == 'd') stop(s);
    announce(s, &old.since, 0);
    return 0;
  }
  announce_now(s);
  if (s->want == 'u') start(s);
  return 0;
}

static int setup(struct supervise *s, struct strerr *e) {
  const char *what;
  int control, sig;

  if (chdir(s->o->dir) == -1) return strerr_sys(e, "unable to chdir to ", s->o->dir, (char *)0);
  sig = sigfd_open(SIGCHLD, SIGTERM, SIGINT, 0);
  sig_ignore_pipe();
  if (sig == -1 || loop_init(&s->loop) == -1) return strerr_sys(e, "unable to set up", (char *)0);
  if (open_state(s, &what, &control) == -1)
    return strerr_sys(e, s->o->dir, ": unable to ", what, (char *)0);
  if (s->o->with_parent && watch_parent(s) == -1)
    return strerr_sys(e, "unable to watch the parent process", (char *)0);
  if (loop_io_add(&s->loop, &s->signals, sig, LOOP_READ, on_signal, s) == -1 ||
      loop_io_add(&s->loop, &s->control, control, LOOP_READ, on_control, s) == -1)
    return strerr_sys(e, "unable to set up", (char *)0);
  if (begin(s, e) == -1) return -1;
  if (open_ok() == -1) return strerr_sys(e, s->o->dir, ": unable to open supervise/ok", (char *)0);
  return 0;
}

int supervise_run(const struct supervise_options *o, struct strerr *e) {
  struct supervise s = {.o = o, .fd_child = -1};

  if (setup(&s, e) == -1) return -1;
  if (loop_run(&s.loop) == -1) return strerr_sys(e, "unable to wait for events", (char *)0);
  return 0;
}
