/* svscan_end: the orderly end of everything below svscan.
 *
 * PHASE_HOOK: .svscan/shutdown runs.  PHASE_MAINS: the services' supervises get
 * TERM, and so do the sessions that an ended tcpserver leaves behind: another service
 * (qmail-tlsd) may be waiting for them.  PHASE_ORPHANS: whatever the services left
 * running gets TERM.  PHASE_LOGS:
 * we close the pipes, so that each logger reads its pipe to the end and goes.  A
 * phase that takes longer than its limit is helped along with SIGKILL: when svscan
 * is gone, nothing of it is left. */
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/spawn.h"
#include "super/procstat.h"
#include "super/svscan_state.h"
#include "super/svstate.h"

#define TICK (100 * NS_PER_MS) /* processes left behind do not report to us at once */

static void signal_runs(struct svscan *s, int which, int sig) {
  for (size_t i = 0; i < s->n; ++i)
    if (s->service[i]->run[which].pid) kill(s->service[i]->run[which].pid, sig);
}

static int any(const struct svscan *s, int which) {
  for (size_t i = 0; i < s->n; ++i)
    if (s->service[i]->run[which].pid) return 1;
  return 0;
}

/* --- processes left behind -------------------------------------------------------------------- */

struct orphans {
  struct svscan *s;
  int sig; /* 0: only count */
  int n;
};

/* A supervise, or what it runs: that is our child too when it was taken over.  A logger
 * must live until its pipe is empty; a service is its supervise's to stop. */
static int is_service(struct svscan *s, int which, pid_t pid) {
  stralloc path = STRALLOC_INIT;
  struct svstatus st;
  struct strerr e;
  int found = 0;

  for (size_t i = 0; i < s->n && !found; ++i) {
    if (!s->service[i]->run[which].pid) continue;
    found = s->service[i]->run[which].pid == pid ||
            (svscan_path(s->service[i], which, &path) && sv_status(path.s, &st, &e) == 1 &&
             (pid_t)st.pid == pid);
  }
  stralloc_free(&path);
  return found;
}

static void orphan(void *ctx, pid_t pid) {
  struct orphans *o = ctx;

  if (o->s->phase < PHASE_LOGS && is_service(o->s, LOG, pid)) return;
  if (o->s->phase == PHASE_MAINS && is_service(o->s, MAIN, pid)) return;
  ++o->n;
  if (!o->sig) return;
  kill(pid, o->sig);
  if (o->sig == SIGTERM) kill(pid, SIGCONT);
}

static int orphans(struct svscan *s, int sig) {
  struct orphans o = {s, sig, 0};

  if (procstat_children(getpid(), orphan, &o) == -1) return 0;
  return o.n;
}

/* --- phases ------------------------------------------------------------------------------------ */

static void start_hook(struct svscan *s) {
  const char *argv[2] = {".svscan/shutdown", 0};
  struct spawn sp = {.path = argv[0], .argv = (char *const *)argv};
  struct strerr e;

  if (s->hook || sv_has(".svscan", "shutdown") != 1) return;
  s->hook = spawn_start(&sp, &e);
  if (s->hook != -1) return;
  s->hook = 0;
  svscan_warn(s, &e);
}

static void press_hook(struct svscan *s) {
  if (s->hook) kill(s->hook, SIGKILL);
}

static int hook_done(struct svscan *s) {
  return !s->hook;
}

static void start_mains(struct svscan *s) {
  signal_runs(s, MAIN, SIGTERM);
  signal_runs(s, MAIN, SIGCONT);
}

static void press_mains(struct svscan *s) {
  signal_runs(s, MAIN, SIGKILL);
}

static int mains_done(struct svscan *s) {
  return !any(s, MAIN);
}

static void start_orphans(struct svscan *s) {
  orphans(s, SIGTERM);
}

static void press_orphans(struct svscan *s) {
  orphans(s, SIGKILL);
}

static int orphans_done(struct svscan *s) {
  return orphans(s, 0) == 0;
}

/* o and x: end with the service, and do not start it again. */
static void start_logs(struct svscan *s) {
  stralloc path = STRALLOC_INIT;
  struct strerr e;

  dup2(s->fd_stderr, 1);
  dup2(s->fd_stderr, 2);
  for (size_t i = 0; i < s->n; ++i) {
    struct service *v = s->service[i];

    v->pipe[1] = fd_close(v->pipe[1]);
    if (!v->run[LOG].pid) continue;
    if (!svscan_path(v, LOG, &path) || sv_control(path.s, "ox", 2, &e) != 1)
      kill(v->run[LOG].pid, SIGTERM);
  }
  stralloc_free(&path);
}

static void press_logs(struct svscan *s) {
  signal_runs(s, LOG, s->pressed < 10 ? SIGTERM : SIGKILL);
  if (s->pressed > 10) orphans(s, SIGKILL);
}

static int logs_done(struct svscan *s) {
  return !any(s, LOG) && orphans(s, 0) == 0;
}

static const struct {
  void (*start)(struct svscan *s);
  int (*done)(struct svscan *s);
  void (*press)(struct svscan *s);
} phases[] = {
    [PHASE_HOOK] = {start_hook, hook_done, press_hook},
    [PHASE_MAINS] = {start_mains, mains_done, press_mains},
    [PHASE_ORPHANS] = {start_orphans, orphans_done, press_orphans},
    [PHASE_LOGS] = {start_logs, logs_done, press_logs},
};

static void enter(struct svscan *s, enum phase phase) {
  uint64_t seconds = phase <= PHASE_MAINS ? s->o->wait_mains : s->o->wait_logs;

  s->phase = phase;
  s->pressed = 0;
  s->limit = deadline_in((int64_t)seconds);
  phases[phase].start(s);
}

static void on_tick(void *ctx) {
  struct svscan *s = ctx;

  if (mono_now() >= s->limit) {
    phases[s->phase].press(s);
    ++s->pressed;
  }
  if (s->phase == PHASE_MAINS) orphans(s, SIGTERM);
  svscan_end_step(s);
}

void svscan_end_step(struct svscan *s) {
  while (phases[s->phase].done(s)) {
    if (s->phase == PHASE_LOGS) {
      loop_stop(&s->loop);
      return;
    }
    enter(s, s->phase + 1);
  }
  if (loop_timer_set(&s->loop, &s->end, mono_now() + TICK, on_tick, s) == -1) loop_stop(&s->loop);
}

void svscan_end_begin(struct svscan *s) {
  if (s->phase != PHASE_RUNNING) return;
  loop_timer_cancel(&s->loop, &s->interval);
  loop_timer_cancel(&s->loop, &s->start);
  enter(s, PHASE_HOOK);
  svscan_end_step(s);
}
