/* worker_pool: see worker_pool.h. */
#include "send/worker_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/fdpass.h"

#define WORKERS_MAX 64
#define IDLE_SECONDS 30
#define JOBS_MAX 5000 /* then a fresh process takes over */

struct worker {
  struct worker_pool *pool;
  uid_t uid;
  gid_t gid;
  int sock;
  struct loop_io io;
  struct spawner_slot *slot; /* null: idle */
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
  free(w);
}

static void on_answer(void *ctx, int fd, unsigned events) {
  struct worker *w = ctx;
  struct spawner_slot *slot = w->slot;
  unsigned char code;
  ssize_t n = read(fd, &code, 1);

  (void)events;
  if (n == -1 && (errno == EINTR || errno == EAGAIN)) return;
  w->slot = 0;
  w->idle_since = mono_now();
  /* We end it, not it itself: it must not be gone when the next job is handed over. */
  if (n != 1 || ++w->jobs == JOBS_MAX) remove_worker(w);
  if (slot) spawner_over(slot, n == 1 ? exited(code) : KILLED);
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

static pid_t start_process(const struct worker_pool *p, uid_t uid, gid_t gid, int sock) {
  struct spawn s = {.path = p->argv[0], .argv = p->argv, .cwd = "/"};
  struct strerr e;

  if (geteuid() == 0) {
    s.set_ids = 1;
    s.uid = uid;
    s.gid = gid;
    s.groups = &gid;
    s.ngroups = 1;
  }
  spawn_move(&s, sock, 0);
  return spawn_start(&s, &e);
}

static struct worker *new_worker(struct worker_pool *p, uid_t uid, gid_t gid) {
  struct worker *w;
  int pair[2];

  if (p->count >= WORKERS_MAX || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) return 0;
  w = calloc(1, sizeof *w);
  if (w && start_process(p, uid, gid, pair[1]) != -1 &&
      loop_io_add(p->loop, &w->io, pair[0], LOOP_READ, on_answer, w) == 0) {
    fd_close(pair[1]);
    w->pool = p;
    w->uid = uid;
    w->gid = gid;
    w->sock = pair[0];
    w->next = p->workers;
    p->workers = w;
    p->count++;
    if (!p->sweep.slot) (void)!loop_timer_set(p->loop, &p->sweep, deadline_in(IDLE_SECONDS), sweep, p);
    return w;
  }
  free(w);
  fd_close(pair[0]);
  fd_close(pair[1]);
  return 0;
}

int worker_pool_run(struct worker_pool *p, struct spawner_slot *slot, uid_t uid, gid_t gid, const stralloc *job,
                    int messfd, int outfd) {
  int fd[2] = {messfd, outfd};
  struct worker *w = p->workers;

  while (w && (w->slot || w->uid != uid || w->gid != gid)) w = w->next;
  if (!w) w = new_worker(p, uid, gid);
  if (!w) return 0;
  if (fdpass_send(w->sock, job->s, job->len, fd, 2) == -1) {
    remove_worker(w); /* it died while idle */
    return 0;
  }
  w->slot = slot;
  return 1;
}
