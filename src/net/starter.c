/* starter: see starter.h.
 *
 * Children of ours that the starter makes: it clones with CLONE_PARENT, so that waiting, SIGCHLD and
 * pidfd_open work as if we had started them.  For spawn_kill it keeps a pidfd of each, which stays that
 * process whatever happens to its number. */
#include "net/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/scan.h"
#include "net/fdpass.h"

#define CHILDREN_MAX 1024 /* more are started, and cannot be killed */
#define ANSWER_MAX 1024
#define MOVE_TO_MAX 255
#define NOWHERE 'n'

enum { NEW_GROUP = 1, NEW_SESSION = 2, STAY = 4, OWN_ENV = 8, FLAGS = 15 };

/* --- the codec ----------------------------------------------------------------------------------- */

static int put(stralloc *out, const char *s) {
  return stralloc_catz(out, s, strlen(s));
}

static int put_number(stralloc *out, uint64_t n) {
  return stralloc_catu64(out, n) && stralloc_append(out, 0);
}

static int put_moves(stralloc *out, const struct spawn *s) {
  if (!put_number(out, s->moves)) return 0;
  for (size_t i = 0; i < s->moves; ++i) {
    if (s->move[i].from == SPAWN_NULL && !stralloc_append(out, NOWHERE)) return 0;
    if (!put_number(out, (uint64_t)s->move[i].to)) return 0;
  }
  return 1;
}

/* The descriptors that are to be sent along: how many. */
static size_t descriptors(const struct spawn *s, int fd[SPAWN_MOVES]) {
  size_t n = 0;

  for (size_t i = 0; i < s->moves; ++i)
    if (s->move[i].from != SPAWN_NULL) fd[n++] = s->move[i].from;
  return n;
}

static size_t count(char *const *v) {
  size_t n = 0;

  while (v && v[n]) ++n;
  return n;
}

static int put_all(stralloc *out, char *const *v) {
  for (size_t i = 0; v && v[i]; ++i)
    if (!put(out, v[i])) return 0;
  return 1;
}

int starter_format(stralloc *out, const struct spawn *s) {
  unsigned flags = (s->new_group ? NEW_GROUP : 0) | (s->new_session ? NEW_SESSION : 0) | (s->cwd ? 0 : STAY) | (s->envp ? 0 : OWN_ENV);
  size_t args = count(s->argv);
  int fd[SPAWN_MOVES];

  stralloc_cut(out, 0);
  if (args > STARTER_ARGS_MAX || count(s->envp) > STARTER_VARS_MAX || descriptors(s, fd) > FDPASS_MAX) return 0;
  return put(out, "S") && put_number(out, flags) && put_number(out, s->held) && put_moves(out, s) && put(out, s->cwd ? s->cwd : "") &&
         put(out, s->path) && put_number(out, args) && put_all(out, s->argv) && put_all(out, s->envp) && out->len <= STARTER_REQUEST_MAX;
}

/* The fields that are left. */
struct fields {
  const char *s;
  size_t n;
};

/* The next one, which ends with its NUL; null at the end, and where it does not. */
static const char *next(struct fields *f) {
  const char *field = f->s;
  const char *nul = f->n ? memchr(f->s, 0, f->n) : 0;

  if (!nul) return 0;
  f->n -= (size_t)(nul + 1 - f->s);
  f->s = nul + 1;
  return field;
}

static int next_number(struct fields *f, uint64_t max, uint64_t *n) {
  const char *field = next(f);

  return field && scan_u64_max(field, strlen(field), max, n);
}

static int next_moves(struct fields *f, size_t fds, struct spawn *s) {
  uint64_t n, to;

  if (fds > FDPASS_MAX || !next_number(f, SPAWN_MOVES, &n)) return 0;
  while (s->moves < n) {
    int nowhere = f->n && *f->s == NOWHERE;

    if (nowhere) {
      f->s++;
      f->n--;
    }
    if (!next_number(f, MOVE_TO_MAX, &to) || (!nowhere && !fds--)) return 0;
    spawn_move(s, nowhere ? SPAWN_NULL : -1, (int)to);
  }
  return fds == 0;
}

/* Up to max of them, borrowed.  What execve(2) takes is not const, and does not change it. */
static int next_strings(struct fields *f, size_t max, char **v) {
  for (size_t i = 0; i < max; ++i) {
    v[i] = (char *)(uintptr_t)next(f);
    if (!v[i]) return 0;
  }
  v[max] = 0;
  return 1;
}

static int next_variables(struct fields *f, char **v) {
  size_t n = 0;

  while (f->n) {
    const char *var = next(f);

    if (n == STARTER_VARS_MAX || !var || *var == '=' || !strchr(var, '=')) return 0;
    v[n++] = (char *)(uintptr_t)var;
  }
  v[n] = 0;
  return 1;
}

int starter_parse(const char *text, size_t n, size_t fds, struct starter_request *r) {
  struct fields f = {text, n};
  const char *what = next(&f);
  uint64_t flags, held, args;

  memset(&r->s, 0, sizeof r->s);
  if (!what || strcmp(what, "S") || !next_number(&f, FLAGS, &flags) || !next_number(&f, UINT32_MAX, &held) || !next_moves(&f, fds, &r->s)) return 0;
  r->s.cwd = next(&f);
  r->s.path = next(&f);
  if (!r->s.path || !*r->s.path || !next_number(&f, STARTER_ARGS_MAX, &args) || !args || !next_strings(&f, args, r->argv) ||
      !next_variables(&f, r->envp))
    return 0;
  if (flags & OWN_ENV && r->envp[0]) return 0;
  r->s.new_group = !!(flags & NEW_GROUP);
  r->s.new_session = !!(flags & NEW_SESSION);
  r->s.held = (uint32_t)held;
  r->s.argv = r->argv;
  r->s.envp = flags & OWN_ENV ? 0 : r->envp;
  if (flags & STAY) r->s.cwd = 0;
  return 1;
}

/* --- the starter --------------------------------------------------------------------------------- */

struct child {
  pid_t pid;
  int pidfd;
};

struct starter {
  const struct starter_rules *rules;
  int sock;
  struct child child[CHILDREN_MAX];
  size_t children;
  stralloc answer;
  struct starter_request request;
  char text[STARTER_REQUEST_MAX];
};

/* Those that have ended. */
static void forget_ended(struct starter *t) {
  size_t kept = 0;

  for (size_t i = 0; i < t->children; ++i) {
    struct pollfd p = {.fd = t->child[i].pidfd, .events = POLLIN};

    if (poll(&p, 1, 0) == 1) fd_close(p.fd);
    else t->child[kept++] = t->child[i];
  }
  t->children = kept;
}

static void remember(struct starter *t, pid_t pid, int pidfd) {
  forget_ended(t);
  if (t->children < CHILDREN_MAX) t->child[t->children++] = (struct child){pid, pidfd};
  else fd_close(pidfd);
}

static void kill_child(struct starter *t, const char *text, size_t n) {
  uint64_t pid;

  if (n < 2 || text[n - 1] || !scan_u64(text, n - 1, &pid)) return;
  for (size_t i = 0; i < t->children; ++i)
    if ((uint64_t)t->child[i].pid == pid) syscall(SYS_pidfd_send_signal, t->child[i].pidfd, SIGKILL, 0, 0);
}

static pid_t start(struct starter *t, size_t n, const int *fd, size_t fds, struct strerr *e) {
  struct starter_request *r = &t->request;
  int pidfd;
  pid_t pid;

  if (!starter_parse(t->text, n, fds, r)) return strerr_set(e, "not a request to start a program", (char *)0);
  for (size_t i = 0; i < r->s.moves; ++i)
    if (r->s.move[i].from == -1) r->s.move[i].from = *fd++;
  if (!r->s.envp) r->s.envp = environ;
  if (!t->rules->may(t->rules->ctx, &r->s, e)) return -1;
  pid = spawn_start_for_parent(&r->s, &pidfd, e);
  if (pidfd != -1) remember(t, pid, pidfd);
  return pid;
}

static int answer(struct starter *t, pid_t pid, const struct strerr *e) {
  stralloc *out = &t->answer;

  stralloc_cut(out, 0);
  return stralloc_cati64(out, pid) && stralloc_append(out, 0) && put_number(out, (uint64_t)e->sys) && put(out, e->text) &&
         send(t->sock, out->s, out->len, MSG_NOSIGNAL) == (ssize_t)out->len;
}

/* What does not understand, and goes on; it ends with the other side. */
static void serve(struct starter *t) {
  for (;;) {
    struct strerr e = {.sys = 0};
    int fd[FDPASS_MAX], ok = 1;
    size_t fds;
    ssize_t n = fdpass_recv(t->sock, t->text, sizeof t->text, fd, &fds);

    if (n == 0 || (n == -1 && errno != EMSGSIZE)) _exit(0);
    if (n > 2 && !memcmp(t->text, "K", 2)) kill_child(t, t->text + 2, (size_t)n - 2);
    else {
      pid_t pid = start(t, n == -1 ? 0 : (size_t)n, fd, fds, &e);

      ok = answer(t, pid, &e);
    }
    for (size_t i = 0; i < fds; ++i) fd_close(fd[i]);
    if (!ok) _exit(111);
  }
}

/* Descriptors 0 and 1 are a client's, or tcpserver's, which waits for their end. */
static void become_starter(int sock, const struct starter_rules *rules) {
  struct starter *t = calloc(1, sizeof *t);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  sigset_t none;

  if (!t || null == -1 || dup2(null, 0) == -1 || dup2(null, 1) == -1) _exit(111);
  prctl(PR_SET_NAME, "starter");
  prctl(PR_SET_DUMPABLE, 0); /* nobody of the same user looks into us */
  /* Signals to the group are for our parent, whose last sessions may need us still. */
  signal(SIGHUP, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  signal(SIGINT, SIG_IGN);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, 0);
  t->rules = rules;
  t->sock = sock;
  serve(t);
}

/* --- our side ------------------------------------------------------------------------------------ */

static struct {
  int sock;
  void (*lost)(void);
} ours = {-1, 0};

static pid_t gone(struct strerr *e) {
  strerr_set(e, "the process that starts programs is gone", (char *)0);
  if (ours.lost) ours.lost();
  return -1;
}

static pid_t understand(const char *text, size_t n, struct strerr *e) {
  struct fields f = {text, n};
  const char *pid = next(&f);
  int64_t number;
  uint64_t sys;
  const char *why;

  if (!pid || !scan_i64(pid, strlen(pid), &number) || number < -1 || number > INT32_MAX || !next_number(&f, INT32_MAX, &sys) || !(why = next(&f)))
    return gone(e);
  strerr_set(e, why, (char *)0);
  e->sys = (int)sys;
  if (number > 0 && *why) spawn_wait((pid_t)number); /* it could not exec */
  errno = e->sys;
  return *why ? -1 : (pid_t)number;
}

static int send_request(const struct spawn *s) {
  stralloc text = STRALLOC_INIT;
  int fd[SPAWN_MOVES], r = -1;

  errno = E2BIG;
  if (starter_format(&text, s)) r = fdpass_send(ours.sock, text.s, text.len, fd, descriptors(s, fd));
  stralloc_free(&text);
  return r;
}

static pid_t ask(const struct spawn *s, struct strerr *e) {
  char text[ANSWER_MAX];
  ssize_t n;

  if (send_request(s) == -1) return errno == EPIPE || errno == ECONNRESET ? gone(e) : strerr_sys(e, "unable to start ", s->path, (char *)0);
  do n = recv(ours.sock, text, sizeof text, 0);
  while (n == -1 && errno == EINTR);
  return n <= 0 ? gone(e) : understand(text, (size_t)n, e);
}

static void ask_to_kill(pid_t pid) {
  stralloc text = STRALLOC_INIT;

  if (put(&text, "K") && put_number(&text, (uint64_t)pid)) (void)!send(ours.sock, text.s, text.len, MSG_NOSIGNAL);
  stralloc_free(&text);
}

int starter_begin(const struct starter_rules *rules, void (*lost)(void), struct strerr *e) {
  static const struct spawn_agent agent = {ask, ask_to_kill};
  int pair[2], room = STARTER_REQUEST_MAX;
  pid_t pid;

  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) return strerr_sys(e, "unable to make a socket", (char *)0);
  pair[0] = fd_above(pair[0]);
  pair[1] = fd_above(pair[1]);
  setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  pid = pair[0] == -1 || pair[1] == -1 ? -1 : fork();
  if (pid == 0) {
    fd_close(pair[0]);
    become_starter(pair[1], rules);
  }
  fd_close(pair[1]);
  if (pid == -1) {
    fd_close(pair[0]);
    return strerr_sys(e, "unable to fork", (char *)0);
  }
  ours.sock = pair[0];
  ours.lost = lost;
  spawn_by(&agent);
  return 0;
}
