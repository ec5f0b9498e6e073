/* lookup_daemon: see lookup_daemon.h. */
#include "user/lookup_daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/now.h"
#include "base/sigfd.h"
#include "user/lookup_worker.h"

#define WORKERS_MAX 64
#define RESTART_SECONDS 1 /* a worker that lived shorter waits so long for the next */

struct worker {
  pid_t pid; /* 0: to be started */
  enum lookup_pool pool;
  int fifo; /* -1: none */
  deadline started, start_at;
};

struct parent {
  struct lookup_daemon *d;
  int listener[2]; /* by pool */
  int replies;     /* directory of reply FIFOs */
  int signals;
  struct worker worker[WORKERS_MAX];
  unsigned workers;
};

static int make_dir(const char *path, mode_t mode, const struct identity *mail, struct strerr *e) {
  if (file_mkdir(path, 0755) == -1) return strerr_sys(e, "unable to create ", path, (char *)0);
  if (geteuid() == 0 && chown(path, mail->uid, mail->gid) == -1)
    return strerr_sys(e, "unable to give away ", path, (char *)0);
  if (chmod(path, mode) == -1) return strerr_sys(e, "unable to set the mode of ", path, (char *)0);
  return 0;
}

static int listen_at(const char *path, struct strerr *e) {
  struct sockaddr_un sa = {.sun_family = AF_UNIX};
  int fd;

  if (strlen(path) >= sizeof sa.sun_path) return strerr_set(e, "the path is too long: ", path, (char *)0);
  memcpy(sa.sun_path, path, strlen(path) + 1);
  unlink(path);
  fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd == -1 || bind(fd, (struct sockaddr *)&sa, sizeof sa) == -1 || chmod(path, 0666) == -1 ||
      listen(fd, 511) == -1) {
    strerr_sys(e, "unable to listen at ", path, (char *)0);
    return fd_close(fd);
  }
  return fd;
}

/* The FIFO of worker k, open for reading and writing so that it never ends. */
static int open_fifo(struct parent *p, unsigned k, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int fd = -1;

  errno = ENOMEM;
  if (stralloc_catm(&path, p->d->dir, "/", p->d->fifo, ".", (char *)0) && stralloc_catu64(&path, k)) {
    unlink(path.s);
    if (mkfifo(path.s, 0660) == 0 && chmod(path.s, 0660) == 0 &&
        (geteuid() != 0 || chown(path.s, p->d->mail.uid, p->d->mail.gid) == 0))
      fd = open(path.s, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  }
  if (fd == -1) strerr_sys(e, "unable to create ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&path);
  return fd;
}

static int open_all(struct parent *p, struct strerr *e) {
  struct lookup_daemon *d = p->d;
  stralloc path = STRALLOC_INIT;
  int r = -1;

  if (make_dir(d->dir, 0755, &d->mail, e) == -1) return -1;
  if (!stralloc_catm(&path, d->dir, "/lock", (char *)0)) goto done;
  if (lock_file_nb(path.s) == -1) {
    if (errno == EWOULDBLOCK) strerr_set(e, "another inlookup is running in ", d->dir, (char *)0);
    else strerr_sys(e, "unable to lock ", path.s, (char *)0);
    goto done;
  }
  stralloc_cut(&path, 0);
  /* Clients make their FIFOs here; nobody but the owner can remove another's, and only
   * we can list them. */
  if (!stralloc_catm(&path, d->dir, "/reply", (char *)0) || make_dir(path.s, 01733, &d->mail, e) == -1) goto done;
  p->replies = open(path.s, O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (int pool = 0; pool < 2; ++pool) {
    stralloc_cut(&path, 0);
    if (!stralloc_catm(&path, d->dir, pool == LOOKUP_SLOW ? "/verify" : "/socket", (char *)0)) goto done;
    p->listener[pool] = listen_at(path.s, e);
    if (p->listener[pool] == -1) goto done;
  }
  for (unsigned i = 0; i < d->quick; ++i) {
    p->worker[i].fifo = open_fifo(p, i + 1, e);
    if (p->worker[i].fifo == -1) goto done;
  }
  r = 0;
done:
  stralloc_free(&path);
  return r;
}

static void unlink_below(struct parent *p, const char *name, unsigned k) {
  stralloc path = STRALLOC_INIT;

  if (stralloc_catm(&path, p->d->dir, "/", name, (char *)0) &&
      (!k || (stralloc_append(&path, '.') && stralloc_catu64(&path, k))))
    unlink(path.s);
  stralloc_free(&path);
}

/* In the child: serve until told to end. */
static void be_worker(struct parent *p, const struct worker *w, pid_t parent) {
  struct lookup_worker lw = {
      .service = &p->d->service,
      .listener = p->listener[w->pool],
      .fifo = w->fifo,
      .replies = p->replies,
      .sandbox = p->d->sandbox,
  };
  struct strerr e;

  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(0);
  prctl(PR_SET_NAME, w->pool == LOOKUP_SLOW ? "inlookup-verify" : "inlookup-worker");
  fd_close(p->signals);
  if (lookup_worker_run(&lw, &e) == -1) strerr_die(111, "inlookup: fatal: ", &e);
  _exit(0);
}

static void start(struct parent *p, struct worker *w) {
  pid_t self = getpid();
  pid_t pid = fork();

  if (pid == 0) be_worker(p, w, self);
  w->started = mono_now();
  w->start_at = w->started + RESTART_SECONDS * NS_PER_S;
  if (pid == -1) {
    LOG(2, "inlookup: ", alert, log_s("unable to fork, trying again"));
    return;
  }
  w->pid = pid;
}

static void reap(struct parent *p) {
  int status;
  pid_t pid;

  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    for (unsigned i = 0; i < p->workers; ++i)
      if (p->worker[i].pid == pid) {
        p->worker[i].pid = 0;
        LOG(2, "inlookup: ", warning, log_s("a worker ended and is started again"));
        /* one that lived for a while is replaced at once */
        if (mono_now() > p->worker[i].start_at) p->worker[i].start_at = 0;
      }
}

static void forward(const struct parent *p, int sig) {
  for (unsigned i = 0; i < p->workers; ++i)
    if (p->worker[i].pid) kill(p->worker[i].pid, sig);
}

static void print_counters(const struct lookup_counters *c) {
  LOG(2, "inlookup: ", lookup_counters, log_u(c->op[LOOKUP_OP_user]), log_u(c->op[LOOKUP_OP_account]),
      log_u(c->op[LOOKUP_OP_alias]), log_u(c->op[LOOKUP_OP_domain]), log_u(c->op[LOOKUP_OP_verify]),
      log_u(c->op[LOOKUP_OP_scram_final]), log_u(c->op[LOOKUP_OP_filters]),
      log_u(c->status[LOOKUP_STATUS_none]), log_u(c->status[LOOKUP_STATUS_temporary]),
      log_u(c->status[LOOKUP_STATUS_bad]), log_u(c->status[LOOKUP_STATUS_denied]), log_u(c->kept));
}

/* 1 when it is time to end. */
static int handle_signals(struct parent *p) {
  int sig;

  while ((sig = sigfd_next(p->signals)) > 0) switch (sig) {
      case SIGTERM:
      case SIGINT: return 1;
      case SIGHUP: forward(p, SIGHUP); break;
      case SIGUSR1: print_counters(p->d->service.counters); break;
      default: reap(p); break;
    }
  return 0;
}

static void supervise(struct parent *p) {
  for (;;) {
    struct pollfd pf = {.fd = p->signals, .events = POLLIN};
    deadline next = DEADLINE_NEVER;

    for (unsigned i = 0; i < p->workers; ++i) {
      struct worker *w = &p->worker[i];

      if (w->pid) continue;
      if (w->start_at <= mono_now()) start(p, w);
      if (!w->pid) next = deadline_min(next, w->start_at);
    }
    (void)poll(&pf, 1, deadline_poll_ms(next, mono_now()));
    if (handle_signals(p)) return;
  }
}

static void end_workers(struct parent *p) {
  forward(p, SIGTERM);
  for (unsigned i = 0; i < p->workers; ++i)
    if (p->worker[i].pid) (void)!waitpid(p->worker[i].pid, 0, 0);
}

int lookup_daemon_run(struct lookup_daemon *d, struct strerr *e) {
  struct parent p = {.d = d, .listener = {-1, -1}, .replies = -1};

  if (d->quick < 1 || d->slow < 1 || d->quick + d->slow > WORKERS_MAX)
    return strerr_set(e, "number of workers out of range", (char *)0);
  p.workers = d->quick + d->slow;
  for (unsigned i = 0; i < p.workers; ++i) {
    p.worker[i].fifo = -1;
    p.worker[i].pool = i < d->quick ? LOOKUP_QUICK : LOOKUP_SLOW;
  }
  d->service.counters = mmap(0, sizeof *d->service.counters, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (d->service.counters == MAP_FAILED) return strerr_sys(e, "unable to start", (char *)0);
  if (open_all(&p, e) == -1 || identity_become(&d->mail, e) == -1) return -1;
  sig_ignore_pipe();
  p.signals = sigfd_open(SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, 0);
  if (p.signals == -1) return strerr_sys(e, "unable to catch signals", (char *)0);
  if (d->verbose) LOG(2, "inlookup: ", info, log_s("ready"));
  supervise(&p);
  end_workers(&p);
  print_counters(d->service.counters);
  unlink_below(&p, "socket", 0);
  unlink_below(&p, "verify", 0);
  for (unsigned k = 1; k <= d->quick; ++k) unlink_below(&p, d->fifo, k);
  return 0;
}
