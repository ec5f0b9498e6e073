/* svscan: see svscan.h.  svscan_end.c has the orderly end. */
#include "super/svscan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/sigfd.h"
#include "base/spawn.h"
#include "super/svscan_state.h"
#include "super/svstate.h"

#define RESTART_S 1
#define NAME_MAX_LOGGED 255
#define SELF_LOG ".svscan"

void svscan_warn(struct svscan *s, const struct strerr *e) {
  if (!s->silent) strerr_warn("svscan: warning: ", e);
}

static void warn_sys(struct svscan *s, const char *what, const char *name) {
  struct strerr e;

  strerr_sys(&e, "unable to ", what, " ", name, (char *)0);
  svscan_warn(s, &e);
}

int svscan_path(const struct service *v, int which, stralloc *path) {
  stralloc_cut(path, 0);
  return stralloc_catm(path, v->name.s, which == LOG ? "/log" : "", (char *)0);
}

/* --- starting --------------------------------------------------------------------------------- */

static pid_t start_supervise(struct svscan *s, struct service *v, int which, struct strerr *e) {
  const char *argv[4] = {"supervise", 0, 0, 0};
  struct spawn sp = {.path = s->o->supervise, .argv = (char *const *)argv};
  stralloc path = STRALLOC_INIT;
  pid_t pid;
  int n = 1;

  if (!svscan_path(v, which, &path)) return strerr_set(e, "out of memory", (char *)0);
  if (s->o->tied) argv[n++] = "-p";
  argv[n] = path.s;
  if (v->pipe[0] != -1) spawn_move(&sp, v->pipe[which == LOG ? 0 : 1], which == LOG ? 0 : 1);
  /* What svscan's own logger has to complain about must not come back to it. */
  if (v->self) {
    spawn_move(&sp, s->fd_stderr, 1);
    spawn_move(&sp, s->fd_stderr, 2);
  }
  pid = spawn_start(&sp, e);
  if (pid != -1 && s->verbose) strerr_warnm("svscan: started supervise ", path.s, (char *)0);
  stralloc_free(&path);
  return pid;
}

/* A supervise that an svscan before us has left: we cannot watch it, but its end
 * shows at one of the next scans. */
static int has_other(struct svscan *s, struct service *v, int which) {
  stralloc path = STRALLOC_INIT;
  struct run *r = &v->run[which];
  struct strerr e;
  int other;

  if (!svscan_path(v, which, &path)) return 0;
  other = sv_ok(path.s, &e) == 1;
  if (other && !r->other) {
    strerr_set(&e, "a supervise of another svscan runs for ", path.s, (char *)0);
    svscan_warn(s, &e);
  }
  r->other = other;
  stralloc_free(&path);
  return other;
}

static void start_one(struct svscan *s, struct service *v, int which) {
  struct strerr e;
  pid_t pid;

  v->run[which].started = mono_now();
  pid = start_supervise(s, v, which, &e);
  if (pid == -1) svscan_warn(s, &e);
  else v->run[which].pid = pid;
}

static void on_start(void *ctx) {
  svscan_start_missing(ctx);
}

void svscan_start_missing(struct svscan *s) {
  deadline now = mono_now(), next = DEADLINE_NEVER;

  if (s->phase != PHASE_RUNNING) return;
  for (size_t i = 0; i < s->n; ++i) {
    struct service *v = s->service[i];

    for (int which = LOG; which >= MAIN; --which) {
      struct run *r = &v->run[which];

      if (!r->wanted || r->pid || !v->seen) continue;
      if (r->started + RESTART_S * NS_PER_S <= now && !has_other(s, v, which)) start_one(s, v, which);
      if (!r->pid && !r->other) next = deadline_min(next, r->started + RESTART_S * NS_PER_S);
    }
  }
  if (next != DEADLINE_NEVER && loop_timer_set(&s->loop, &s->start, next, on_start, s) == -1)
    warn_sys(s, "set", "a timer");
}

/* --- scanning --------------------------------------------------------------------------------- */

static struct service *find(struct svscan *s, const struct stat *st) {
  for (size_t i = 0; i < s->n; ++i)
    if (s->service[i]->ino == st->st_ino && s->service[i]->dev == st->st_dev) return s->service[i];
  return 0;
}

static void service_free(struct service *v) {
  fd_close(v->pipe[0]);
  fd_close(v->pipe[1]);
  stralloc_free(&v->name);
  free(v);
}

static struct service *add(struct svscan *s, const struct stat *st) {
  struct service *v;

  if (s->n == s->a) {
    size_t a = s->a ? s->a * 2 : 64;
    struct service **list = reallocarray(s->service, a, sizeof *list);

    if (!list) return 0;
    s->service = list;
    s->a = a;
  }
  v = calloc(1, sizeof *v);
  if (!v) return 0;
  v->dev = st->st_dev;
  v->ino = st->st_ino;
  v->pipe[0] = v->pipe[1] = -1;
  v->run[MAIN].down = v->run[LOG].down = -1;
  s->service[s->n++] = v;
  return v;
}

/* A file "down" that came or went since the last scan is a command. */
static void follow_down(struct svscan *s, struct service *v, int which) {
  stralloc path = STRALLOC_INIT;
  struct run *r = &v->run[which];
  struct strerr e;
  int down;

  if (!svscan_path(v, which, &path)) return;
  down = sv_has(path.s, "down");
  if (down != -1) {
    if (r->down != -1 && r->down != down && r->pid && sv_control(path.s, down ? "d" : "u", 1, &e) == -1)
      svscan_warn(s, &e);
    r->down = down;
  }
  stralloc_free(&path);
}

static int want_log(struct svscan *s, struct service *v) {
  if (v->name.len > NAME_MAX_LOGGED || sv_has(v->name.s, "log") != 1) return 0;
  if (v->pipe[0] != -1) return 1;
  if (fd_pipe(v->pipe) == 0) return 1;
  warn_sys(s, "make a pipe for", v->name.s);
  v->pipe[0] = v->pipe[1] = -1;
  return -1;
}

static struct service *look_at(struct svscan *s, const char *name) {
  struct stat st;
  struct service *v;

  if (stat(name, &st) == -1) {
    if (errno != ENOENT) warn_sys(s, "look at", name);
    return 0;
  }
  if (!S_ISDIR(st.st_mode)) return 0;
  v = find(s, &st);
  if (!v && s->n >= s->o->max) {
    struct strerr e;

    strerr_set(&e, "no room for ", name, ": too many services", (char *)0);
    svscan_warn(s, &e);
    return 0;
  }
  if (!v) v = add(s, &st);
  if (!v || !stralloc_copys(&v->name, name)) {
    warn_sys(s, "remember", name);
    return 0;
  }
  v->seen = 1;
  return v;
}

static void adopt(struct svscan *s, const char *name) {
  struct service *v = look_at(s, name);
  int log;

  if (!v) return;
  log = want_log(s, v);
  if (log == -1) return; /* better not at all than without its log */
  if (!v->run[LOG].wanted) v->run[LOG].wanted = log;
  v->run[MAIN].wanted = 1;
  follow_down(s, v, MAIN);
  if (log) follow_down(s, v, LOG);
}

static void drop_vanished(struct svscan *s) {
  for (size_t i = 0; i < s->n;) {
    struct service *v = s->service[i];

    if (v->seen || v->run[MAIN].pid || v->run[LOG].pid) {
      ++i;
      continue;
    }
    service_free(v);
    s->service[i] = s->service[--s->n];
  }
}

void svscan_scan(struct svscan *s) {
  DIR *d = opendir(".");
  struct dirent *entry;

  if (!d) {
    warn_sys(s, "read", s->o->dir);
    return;
  }
  for (size_t i = 0; i < s->n; ++i) s->service[i]->seen = s->service[i]->self;
  errno = 0;
  while ((entry = readdir(d)) != 0) {
    if (entry->d_name[0] != '.') adopt(s, entry->d_name);
    errno = 0;
  }
  if (errno) {
    warn_sys(s, "read", s->o->dir);
    for (size_t i = 0; i < s->n; ++i) s->service[i]->seen = 1;
  }
  closedir(d);
  drop_vanished(s);
  svscan_start_missing(s);
}

static void on_interval(void *ctx) {
  struct svscan *s = ctx;

  if (s->phase != PHASE_RUNNING) return;
  svscan_scan(s);
  if (s->o->interval &&
      loop_timer_set(&s->loop, &s->interval, deadline_in((int64_t)s->o->interval), on_interval, s) == -1)
    warn_sys(s, "set", "a timer");
}

/* --- events ----------------------------------------------------------------------------------- */

static void report_death(struct svscan *s, struct service *v, int which, int status) {
  struct strerr e;

  if (s->phase != PHASE_RUNNING || (WIFEXITED(status) && !WEXITSTATUS(status))) return;
  strerr_set(&e, "supervise ", v->name.s, which == LOG ? "/log" : "",
             WIFEXITED(status) ? " failed" : " was killed", "; starting it again", (char *)0);
  svscan_warn(s, &e);
}

static void reaped(struct svscan *s, pid_t pid, int status) {
  if (pid == s->hook) s->hook = 0;
  for (size_t i = 0; i < s->n; ++i)
    for (int which = MAIN; which <= LOG; ++which)
      if (s->service[i]->run[which].pid == pid) {
        s->service[i]->run[which].pid = 0;
        report_death(s, s->service[i], which, status);
      }
}

static void on_signal(void *ctx, int fd, unsigned events) {
  struct svscan *s = ctx;
  int sig, status;
  pid_t pid;

  (void)events;
  while ((sig = sigfd_next(fd)) > 0) {
    switch (sig) {
      case SIGCHLD:
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) reaped(s, pid, status);
        if (s->phase == PHASE_RUNNING) svscan_start_missing(s);
        else svscan_end_step(s);
        break;
      case SIGHUP:
        if (s->phase == PHASE_RUNNING) svscan_scan(s);
        break;
      case SIGUSR1: s->verbose = !s->verbose; break;
      case SIGUSR2: s->silent = !s->silent; break;
      default: svscan_end_begin(s);
    }
  }
}

/* --- setting up ------------------------------------------------------------------------------- */

/* One svscan for a directory.  Where nothing may be written (a directory of
 * symbolic links on a read-only file system) the supervises' locks have to do. */
static int lock_dir(struct svscan *s, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int fd = lock_file_nb(".svscan.pid");

  if (fd == -1 && errno == EWOULDBLOCK)
    return strerr_set(e, "another svscan runs in ", s->o->dir, (char *)0);
  if (fd == -1) {
    warn_sys(s, "lock", ".svscan.pid");
    return 0;
  }
  if (ftruncate(fd, 0) == -1 || !stralloc_cati64(&text, getpid()) || !stralloc_append(&text, '\n') ||
      fd_write_all(fd, text.s, text.len) == -1)
    warn_sys(s, "write", ".svscan.pid");
  stralloc_free(&text);
  return 0;
}

/* From here on fds 1 and 2, ours and those the services start with, are the pipe to
 * the logger. */
static int start_self_log(struct svscan *s, struct strerr *e) {
  struct service *v;

  if (sv_has(SELF_LOG, "log") != 1) {
    strerr_set(e, "SCANLOG is set, but there is no .svscan/log", (char *)0);
    svscan_warn(s, e);
    return 0;
  }
  v = look_at(s, SELF_LOG);
  if (!v || want_log(s, v) != 1) return strerr_set(e, "unable to set up .svscan/log", (char *)0);
  v->self = 1;
  v->run[LOG].wanted = 1;
  if (dup2(v->pipe[1], 1) == -1 || dup2(v->pipe[1], 2) == -1)
    return strerr_sys(e, "unable to move descriptors", (char *)0);
  return 0;
}

static int run_init(struct svscan *s, struct strerr *e) {
  const char *path = s->o->init && *s->o->init ? s->o->init : ".svscan/run";
  const char *argv[2] = {path, 0};
  struct spawn sp = {.path = path, .argv = (char *const *)argv};

  if (!s->o->init) return 0;
  s->hook = spawn_start(&sp, e);
  if (s->hook == -1) {
    svscan_warn(s, e);
    s->hook = 0;
  }
  if (s->hook && s->o->wait_init) {
    spawn_wait(s->hook);
    s->hook = 0;
  }
  return 0;
}

static int setup(struct svscan *s, struct strerr *e) {
  int fd;

  do fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  while (fd >= 0 && fd <= 2 && fcntl(fd, F_SETFD, 0) == 0);
  fd_close(fd);
  if (chdir(s->o->dir) == -1) return strerr_sys(e, "unable to chdir to ", s->o->dir, (char *)0);
  if (lock_dir(s, e) == -1) return -1;
  s->fd_stderr = fcntl(2, F_DUPFD_CLOEXEC, 3);
  fd = sigfd_open(SIGCHLD, SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2, 0);
  sig_ignore_pipe();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (s->fd_stderr == -1 || fd == -1 || loop_init(&s->loop) == -1 ||
      loop_io_add(&s->loop, &s->signals, fd, LOOP_READ, on_signal, s) == -1)
    return strerr_sys(e, "unable to set up", (char *)0);
  if (s->o->log && start_self_log(s, e) == -1) return -1;
  return run_init(s, e);
}

int svscan_run(const struct svscan_options *o, struct strerr *e) {
  struct svscan s = {.o = o, .verbose = o->verbose, .silent = o->silent};

  if (setup(&s, e) == -1) return -1;
  on_interval(&s);
  if (loop_run(&s.loop) == -1) return strerr_sys(e, "unable to wait for events", (char *)0);
  return 0;
}
