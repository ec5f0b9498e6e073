/* spawn: see spawn.h. */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sigfd.h"

static const struct spawn_agent *by; /* null: we start programs ourselves */
static unsigned long asked;

void spawn_move(struct spawn *s, int from, int to) {
  s->move[s->moves].from = from;
  s->move[s->moves].to = to;
  s->moves++;
}

static int lies_in_the_way(const struct spawn *s, size_t i) {
  for (size_t j = 0; j < s->moves; ++j)
    if (j != i && s->move[j].to == s->move[i].from && s->move[i].to != s->move[i].from) return 1;
  return 0;
}

/* Above all that is moved to: its number, or -1. */
static int lift(int fd, int top) {
  return fd == -1 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, top + 1);
}

/* Carries out the moves.  A source that lies where another move wants to put its
 * descriptor is first lifted out of the way. */
static int apply_moves(const struct spawn *s) {
  int from[SPAWN_MOVES];
  int top = 2, null = -1;

  for (size_t i = 0; i < s->moves; ++i)
    if (s->move[i].to > top) top = s->move[i].to;
  for (size_t i = 0; i < s->moves; ++i) {
    from[i] = s->move[i].from;
    if (from[i] == SPAWN_NULL) from[i] = null = null != -1 ? null : lift(open("/dev/null", O_RDWR | O_CLOEXEC), top);
    else if (lies_in_the_way(s, i)) from[i] = lift(from[i], top);
    if (from[i] == -1) return -1;
  }
  for (size_t i = 0; i < s->moves; ++i) {
    int to = s->move[i].to;

    if (from[i] == to ? fcntl(to, F_SETFD, 0) == -1 : dup2(from[i], to) == -1) return -1;
  }
  return 0;
}

/* The raw calls: glibc's wrappers would try to tell the other threads of a process
 * whose memory we only borrow. */
static int drop_ids(const struct spawn *s) {
  if (syscall(SYS_setgroups, s->ngroups, s->groups) == -1) return -1;
  if (syscall(SYS_setresgid, s->gid, s->gid, s->gid) == -1) return -1;
  return (int)syscall(SYS_setresuid, s->uid, s->uid, s->uid);
}

static void default_signals(uint32_t held) {
  struct sigaction sa;

  memset(&sa, 0, sizeof sa);
  sa.sa_handler = SIG_DFL;
  for (int sig = 1; sig < 32; ++sig)
    if (sig != SIGKILL && sig != SIGSTOP) sigaction(sig, &sa, 0);
  sig_hold(held);
}

static int record_self(int fd) {
  struct timespec now;
  struct spawn_record r;

  clock_gettime(CLOCK_BOOTTIME, &now);
  r.boottime = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
  r.pid = (int64_t)syscall(SYS_getpid);
  return write(fd, &r, sizeof r) == (ssize_t)sizeof r ? 0 : -1;
}

/* What failed, as a word for the message; returns only on failure. */
static const char *become(const struct spawn *s) {
  char *const *envp = s->envp ? s->envp : environ;

  if (s->record_fd > 0 && record_self(s->record_fd) == -1) return "record";
  if (s->new_session && setsid() == -1) return "setsid";
  if (s->new_group && setpgid(0, 0) == -1) return "setpgid";
  if (apply_moves(s) == -1) return "move descriptors";
  if (s->cwd && chdir(s->cwd) == -1) return "chdir";
  if (s->set_ids && drop_ids(s) == -1) return "give up privileges";
  if (!s->keep_signals) default_signals(s->held);
  if (strchr(s->path, '/')) execve(s->path, s->argv, envp);
  else execvpe(s->path, s->argv, envp);
  return "exec";
}

/* Whoever started us may have left SIGCHLD ignored: then no child's end could be waited for. */
static void wait_for_children(void) {
  struct sigaction sa;

  if (sigaction(SIGCHLD, 0, &sa) == 0 && sa.sa_handler == SIG_IGN) signal(SIGCHLD, SIG_DFL);
}

static void cannot(const struct spawn *s, const char *what, struct strerr *e) {
  strerr_sys(e, "unable to start ", s->path, " (", what, ")", (char *)0);
}

pid_t spawn_start(const struct spawn *s, struct strerr *e) {
  sigset_t all, old;
  const char *volatile what = 0;
  volatile int why = 0;
  pid_t pid;

  ++asked;
  wait_for_children();
  if (by) return by->start(s, e);
  /* No handler of ours may run in the child while it borrows our memory. */
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &old);
  pid = vfork();
  if (pid == 0) {
    what = become(s);
    why = errno;
    _exit(127);
  }
  sigprocmask(SIG_SETMASK, &old, 0);
  if (pid == -1) return strerr_sys(e, "unable to start ", s->path, (char *)0);
  if (what) {
    spawn_wait(pid);
    errno = why;
    cannot(s, what, e);
    return -1;
  }
  return pid;
}

struct failure {
  int why;
  char what[28];
};

static void tell_failure(int fd, const char *what) {
  struct failure f = {.why = errno};

  for (size_t i = 0; what[i] && i < sizeof f.what - 1; ++i) f.what[i] = what[i];
  if (write(fd, &f, sizeof f) == -1) _exit(126);
}

/* A whole copy of us, for what vfork borrows would be lent to a child of somebody else's.  What
 * went wrong before its exec comes through a pipe that the exec closes. */
pid_t spawn_start_for_parent(const struct spawn *s, int *pidfd, struct strerr *e) {
  struct failure f;
  int p[2];
  pid_t pid;

  ++asked;
  *pidfd = -1;
  if (fd_pipe(p) == -1) return strerr_sys(e, "unable to start ", s->path, (char *)0);
  pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | CLONE_PIDFD | SIGCHLD, 0, pidfd, 0, 0);
  if (pid == 0) {
    tell_failure(p[1], become(s));
    _exit(127);
  }
  if (pid == -1) strerr_sys(e, "unable to start ", s->path, (char *)0);
  else e->sys = 0;
  fd_close(p[1]);
  if (pid != -1 && fd_read_all(p[0], (char *)&f, sizeof f) == 1) {
    errno = f.why;
    f.what[sizeof f.what - 1] = 0;
    cannot(s, f.what, e);
    *pidfd = fd_close(*pidfd);
  }
  fd_close(p[0]);
  return pid;
}

unsigned long spawn_asked(void) {
  return asked;
}

void spawn_by(const struct spawn_agent *agent) {
  by = agent;
}

void spawn_kill(pid_t pid) {
  if (by) by->kill(pid);
  else kill(pid, SIGKILL);
}

int spawn_exec(const struct spawn *s, struct strerr *e) {
  const char *what = become(s);

  return strerr_sys(e, "unable to run ", s->path, " (", what, ")", (char *)0);
}

int spawn_wait(pid_t pid) {
  int status;
  pid_t r;

  do r = waitpid(pid, &status, 0);
  while (r == -1 && errno == EINTR);
  return r == -1 ? -1 : status;
}

int spawn_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
