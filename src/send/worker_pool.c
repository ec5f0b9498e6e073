/* worker_pool: see worker_pool.h. */
#include "send/worker_pool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/fdpass.h"
#include "queue/worker_proto.h"

#define IDLE_SECONDS 30
#define JOBS_MAX 5000 /* then a fresh process takes over */

struct worker {
  struct worker_pool *pool;
  uid_t uid;
  gid_t gid;
  pid_t pid;
  int sock;
  struct loop_io io;
  struct spawner_slot *slot; /* null: idle */
  stralloc host;             /* of its last job */
  deadline idle_since;
  unsigned jobs;
  struct worker *next;
};

/* A wait status as if a process had ended with this code, or been killed. */
static int exited(int code) {
  return code << 8;
}

#define KILLED 9

static void remove_worker(struct worker *w) {
  struct worker **p = &w->pool->workers;

  while (*p != w) p = &(*p)->next;
  *p = w->next;
  w->pool->count--;
  loop_io_remove(w->pool->loop, &w->io);
  fd_close(w->sock);
  stralloc_free(&w->host);
  free(w);
}

/* The worker cannot be trusted any more, or is dead; its job, if any, is deferred. */
static void discard(struct worker *w) {
  struct spawner_slot *slot = w->slot;

  kill(-w->pid, SIGKILL);
  remove_worker(w);
  if (slot) spawner_over(slot, KILLED);
}

static void done(struct worker *w, unsigned char code) {
  struct spawner_slot *slot = w->slot;

  w->slot = 0;
  w->idle_since = mono_now();
  /* We end it, not it itself: it must not be gone when the next job is handed over. */
  if (++w->jobs == JOBS_MAX) remove_worker(w);
  spawner_over(slot, exited(code));
}

static void on_answer(void *ctx, int fd, unsigned events) {
  struct worker *w = ctx;
  const struct worker_pool *p = w->pool;
  unsigned char buf[WORKER_ANSWER_MAX];
  ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT | MSG_TRUNC);

  (void)events;
  if (n == -1 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0 || n > (ssize_t)sizeof buf || !w->slot || !spawner_output(w->slot, (char *)buf + 1, (size_t)n - 1)) discard(w);
  else if (buf[0] == WORKER_MORE) return;
  else if (p->sane && !p->sane(buf[0], spawner_printed(w->slot))) discard(w);
  else done(w, buf[0]);
}

static void sweep(void *ctx) {
  struct worker_pool *p = ctx;
  deadline old = mono_now() - IDLE_SECONDS * NS_PER_S;

  for (struct worker *w = p->workers; w;) {
    struct worker *next = w->next;

    if (!w->slot && w->idle_since < old) remove_worker(w);
    w = next;
  }
  if (p->workers) (void)!loop_timer_set(p->loop, &p->sweep, deadline_in(IDLE_SECONDS), sweep, p);
}

static pid_t start_process(const struct worker_pool *p, const struct worker_job *job, int sock) {
  struct spawn s = {.path = p->argv[0], .argv = p->argv, .envp = p->envp, .cwd = p->cwd, .new_group = 1};
  struct strerr e;

  if (geteuid() == 0) {
    s.set_ids = 1;
    s.uid = job->uid;
    s.gid = job->gid;
    s.groups = &job->gid;
    s.ngroups = 1;
  }
  spawn_move(&s, sock, 0);
  if (p->errors != -1) spawn_move(&s, p->errors, 2);
  return spawn_start(&s, &e);
}

static struct worker *new_worker(struct worker_pool *p, const struct worker_job *job) {
  struct worker *w;
  int pair[2];

  if (p->count >= p->max || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) return 0;
  w = calloc(1, sizeof *w);
  if (w && (w->pid = start_process(p, job, pair[1])) != -1 &&
      loop_io_add(p->loop, &w->io, pair[0], LOOP_READ, on_answer, w) == 0) {
    fd_close(pair[1]);
    w->pool = p;
    w->uid = job->uid;
    w->gid = job->gid;
    w->sock = pair[0];
    w->next = p->workers;
    p->workers = w;
    p->count++;
    if (!p->sweep.at.slot) (void)!loop_timer_set(p->loop, &p->sweep, deadline_in(IDLE_SECONDS), sweep, p);
    return w;
  }
  free(w);
  fd_close(pair[0]);
  fd_close(pair[1]);
  return 0;
}

/* An idle one that did this host last; else, where there are enough of them or no new one can
 * be, the one idle longest, whose connection is worth least; else a new one. */
static struct worker *choose(struct worker_pool *p, const struct worker_job *job) {
  struct worker *longest = 0;
  struct worker *w;
  size_t idle = 0;

  for (w = p->workers; w; w = w->next) {
    if (w->slot || w->uid != job->uid || w->gid != job->gid) continue;
    if (stralloc_equals(&w->host, job->host)) return w;
    if (!longest || w->idle_since < longest->idle_since) longest = w;
    ++idle;
  }
  if (idle && idle >= p->spare) return longest;
  w = new_worker(p, job);
  return w ? w : longest;
}

int worker_pool_run(struct worker_pool *p, struct spawner_slot *slot, const struct worker_job *job) {
  struct worker *w;

  while ((w = choose(p, job)) != 0) {
    int fresh = !w->jobs;

    if (stralloc_copys(&w->host, job->host) && fdpass_send(w->sock, job->text->s, job->text->len, job->fd, job->fds) == 0) {
      w->slot = slot;
      spawner_elsewhere(slot, w->pid);
      return 1;
    }
    discard(w); /* it died while idle */
    if (fresh) break;
  }
  return 0;
}
