/* tcpserver: see tcpserver.h. */
#include "super/tcpserver.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log_buffer.h"
#include "base/loop.h"
#include "base/scan.h"
#include "base/sigfd.h"
#include "base/spawn.h"
#include "net/resident.h"
#include "super/residents.h"
#include "super/tcpaccess.h"
#include "super/tcpenv.h"

#define PREFIX "tcpserver: "
#define WARNING "tcpserver: warning: "
#define RETRY_S 1
#define NO_SERVER (-1)
/* Connections of resident servers are numbered from here on: no process has such a number. */
#define FIRST_NUMBER 10000000
#define BATCH 16 /* connections accepted before other events have their turn */

struct child {
  uint64_t number; /* its process, or what we call a connection of a resident server */
  int server;      /* which one of these, or NO_SERVER */
  struct ip ip;
  uint16_t port;
};

struct tcpserver {
  const struct tcpserver_options *o;
  struct loop loop;
  struct loop_io listener, signals;
  struct loop_timer retry;
  uint64_t limit;
  struct child *child;
  size_t n, a;
  struct tcpenv env;
  struct tcpaccess access;
  struct residents residents;
  uint64_t last_number;
  stralloc local, remote, message;
  struct log_buffer log;
};

int tcpserver_read_limit(const char *path, uint64_t *limit, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int r = file_read(path, &text, 64);

  if (r == 0) errno = ENOENT;
  if (r != 1) {
    r = strerr_sys(e, "unable to read ", path, (char *)0);
  } else {
    stralloc_chomp(&text);
    r = scan_u64_max(stralloc_cstr(&text), text.len, 1000000, limit)
            ? 0
            : strerr_set(e, path, ": not a number of connections", (char *)0);
  }
  stralloc_free(&text);
  return r;
}

/* --- the table of connections -------------------------------------------------------------------- */

/* A client with IPv6 has a whole /64 to call from. */
static int same_client(const struct ip *a, const struct ip *b) {
  if (a->family != b->family) return 0;
  return !memcmp(a->b, b->b, a->family == AF_INET ? 4 : 8);
}

static uint64_t count(const struct tcpserver *s, const struct ip *ip) {
  uint64_t n = 0;

  for (size_t i = 0; i < s->n; ++i) n += (uint64_t)same_client(&s->child[i].ip, ip);
  return n;
}

static int room(struct tcpserver *s) {
  size_t a = s->a ? s->a * 2 : 16;
  struct child *child;

  if (s->n < s->a) return 1;
  child = reallocarray(s->child, a, sizeof *child);
  if (!child) return 0;
  s->child = child;
  s->a = a;
  return 1;
}

/* Lines are written when an event has been dealt with: many connections, one write. */
#define TLOG(s, event, ...)                                                                  \
  log_buffer_add(&(s)->log, LOG_##event, (const struct log_arg[]){__VA_ARGS__},              \
                 sizeof((const struct log_arg[]){__VA_ARGS__}) / sizeof(struct log_arg))

static void print_table(struct tcpserver *s) {
  for (size_t i = 0; i < s->n; ++i) {
    struct tcpconn c = {.remote = s->child[i].ip, .remote_port = s->child[i].port};
    char text[IP_TEXT + 8];

    tcpconn_texts(&c);
    stpcpy(stpcpy(stpcpy(text, c.remote_ip), ":"), c.remote_port_text);
    TLOG(s, tcp_conn, log_u(s->child[i].number), log_s(text));
  }
}

static void print_status(struct tcpserver *s) {
  if (s->o->verbosity >= TCPSERVER_VERBOSE) TLOG(s, tcp_status, log_u(s->n), log_u(s->limit));
  if (s->o->verbosity >= TCPSERVER_TABLE) print_table(s);
}

/* --- one connection ------------------------------------------------------------------------------ */

static void warn(struct tcpserver *s, const struct strerr *e) {
  log_buffer_flush(&s->log); /* in the order in which things happened */
  if (s->o->verbosity >= TCPSERVER_ERRORS) strerr_warn(WARNING, e);
}

static void log_verdict(struct tcpserver *s, const struct tcpconn *c, enum log_event event, uint64_t number) {
  struct log_arg arg[3];

  if (s->o->verbosity < TCPSERVER_VERBOSE) return;
  if (!tcpaccess_local(&s->local, s->o->local_host, c->local_ip, c->local_port_text) ||
      !tcpaccess_remote(&s->remote, 0, c->remote_ip, 0, c->remote_port_text))
    return;
  arg[0] = log_u(number);
  arg[1] = log_s(s->local.s);
  arg[2] = log_s(s->remote.s);
  log_buffer_add(&s->log, event, arg, 3);
}

static int describe(int fd, struct tcpconn *c, const struct sockaddr_storage *remote) {
  struct sockaddr_storage local;
  socklen_t len = sizeof local;

  memset(c, 0, sizeof *c);
  if (remote->ss_family != AF_INET && remote->ss_family != AF_INET6) return 0;
  if (getsockname(fd, (struct sockaddr *)&local, &len) == -1) return -1;
  ip_from_sockaddr((const struct sockaddr *)remote, &c->remote, &c->remote_port);
  ip_from_sockaddr((const struct sockaddr *)&local, &c->local, &c->local_port);
  if (remote->ss_family == AF_INET6 && ((const struct sockaddr_in6 *)remote)->sin6_scope_id)
    if_indextoname(((const struct sockaddr_in6 *)remote)->sin6_scope_id, c->interface);
  tcpconn_texts(c);
  return 0;
}

/* A rule can set its own limit. */
static uint64_t limit_of(const struct tcpserver *s, const char *variable, uint64_t usual) {
  const char *text = tcpaccess_get(&s->access, variable);
  uint64_t max;

  return text && scan_u64(text, strlen(text), &max) ? max : usual;
}

/* Has this client all the connections it may have, here and everywhere? */
static int has_enough(const struct tcpserver *s, const struct ip *ip) {
  uint64_t here = limit_of(s, "MAXPERIP", s->o->per_ip), everywhere = limit_of(s, "MAXPERIP_ALL", s->o->per_ip_everywhere);

  return (here && count(s, ip) >= here) || (everywhere && s->o->everywhere && client_count_of(s->o->everywhere, ip) >= everywhere);
}

/* 1 let in, 0 keep out, -1 the rules cannot be read. */
static int admit(struct tcpserver *s, const struct tcpconn *c, struct strerr *e) {
  const struct tcprules_client who = {c->remote_ip, 0, 0};
  int r = 1;

  if (s->o->rules && c->remote.family) r = tcpaccess_check(&s->access, s->o->rules, s->o->rules_optional, &who, e);
  if (r == -1) return -1;
  /* Behind tcpserver-lookup a rule for a name may win; it will see. */
  if (s->o->lookup) r = 1;
  if (r == 1 && c->remote.family && has_enough(s, &c->remote)) r = 0;
  return r;
}

static char *const *make_env(struct tcpserver *s, const struct tcpconn *c) {
  const char *var;

  if (!tcpenv_begin(&s->env, c)) return 0;
  while (!s->o->lookup && (var = tcpaccess_next(&s->access)) != 0)
    if (!tcpenv_add(&s->env, var)) return 0;
  return tcpenv_vector(&s->env);
}

static int start_program(struct tcpserver *s, int fd, const struct tcpconn *c, struct child *child, struct strerr *e) {
  char *const *argv = s->o->lookup ? s->o->lookup : s->o->program;
  struct spawn sp = {.path = argv[0], .argv = argv, .envp = make_env(s, c)};
  pid_t pid;

  if (!sp.envp) return strerr_set(e, "out of memory", (char *)0);
  spawn_move(&sp, fd, 0);
  spawn_move(&sp, fd, 1);
  pid = spawn_start(&sp, e);
  child->number = (uint64_t)pid;
  child->server = NO_SERVER;
  return pid == -1 ? -1 : 0;
}

static int hand_over(struct tcpserver *s, int fd, const struct tcpconn *c, struct child *child, struct strerr *e) {
  size_t pos = 0;
  const char *var;

  if (!make_env(s, c) || !resident_format(&s->message, s->last_number + 1)) return strerr_set(e, "out of memory", (char *)0);
  while ((var = tcpenv_next_own(&s->env, &pos)) != 0)
    if (!stralloc_catz(&s->message, var, strlen(var))) return strerr_set(e, "out of memory", (char *)0);
  child->number = ++s->last_number;
  child->server = residents_hand(&s->residents, &s->message, fd);
  return child->server == -1 ? strerr_set(e, "no server takes the connection now", (char *)0) : 0;
}

static void set_delay(const struct tcpserver *s, int fd) {
  int on = 1;

  if (s->o->nodelay) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void serve(struct tcpserver *s, int fd, const struct sockaddr_storage *remote) {
  struct tcpconn c;
  struct strerr e;
  struct child *child;
  int allowed, started;

  if (describe(fd, &c, remote) == -1) return;
  allowed = admit(s, &c, &e);
  if (allowed == -1) warn(s, &e);
  if (allowed == 0) log_verdict(s, &c, LOG_tcp_deny, 0);
  if (allowed != 1) return;
  set_delay(s, fd);
  if (s->o->banner && !s->o->lookup && send(fd, s->o->banner, strlen(s->o->banner), MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
    return;
  if (!room(s)) strerr_set(&e, "out of memory", (char *)0);
  child = s->n < s->a ? &s->child[s->n] : 0;
  if (s->o->everywhere) client_count_add(s->o->everywhere, &c.remote); /* before the client can know that it is served */
  started = !child ? -1 : s->o->residents ? hand_over(s, fd, &c, child, &e) : start_program(s, fd, &c, child, &e);
  if (started == -1) {
    if (s->o->everywhere) client_count_remove(s->o->everywhere, &c.remote);
    warn(s, &e);
    return;
  }
  child->ip = c.remote;
  child->port = c.remote_port;
  s->n++;
  print_status(s);
  if (s->o->verbosity >= TCPSERVER_VERBOSE) TLOG(s, tcp_pid, log_u(child->number), log_s(c.remote_ip));
  if (!s->o->lookup) log_verdict(s, &c, LOG_tcp_ok, child->number);
}

/* --- the listener -------------------------------------------------------------------------------- */

static void listen_or_not(struct tcpserver *s) {
  int want = s->n < s->limit && !s->retry.at.slot;

  if (loop_io_set(&s->loop, &s->listener, want ? LOOP_READ : 0) == -1) {
    struct strerr e;

    strerr_sys(&e, "unable to watch the socket", (char *)0);
    warn(s, &e);
  }
}

static void on_retry(void *ctx) {
  listen_or_not(ctx);
}

/* No more descriptors, no memory: the connection waits in the kernel meanwhile. */
static void accept_failed(struct tcpserver *s) {
  struct strerr e;

  if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
  strerr_sys(&e, "unable to accept a connection", (char *)0);
  warn(s, &e);
  if (loop_timer_set(&s->loop, &s->retry, deadline_in(RETRY_S), on_retry, s) == -1) warn(s, &e);
  listen_or_not(s);
}

static void on_connection(void *ctx, int fd, unsigned events) {
  struct tcpserver *s = ctx;

  (void)events;
  for (int i = 0; i < BATCH && s->n < s->limit; ++i) {
    struct sockaddr_storage remote;
    socklen_t len = sizeof remote;
    int conn;

    memset(&remote, 0, sizeof remote);
    conn = accept4(fd, (struct sockaddr *)&remote, &len, SOCK_CLOEXEC);
    if (conn == -1) {
      accept_failed(s);
      break;
    }
    serve(s, conn, &remote);
    tcpaccess_forget(&s->access);
    fd_close(conn);
  }
  listen_or_not(s);
  log_buffer_flush(&s->log);
}

/* --- signals ------------------------------------------------------------------------------------- */

static void forget(struct tcpserver *s, size_t i, int status) {
  uint64_t number = s->child[i].number;

  if (s->o->everywhere) client_count_remove(s->o->everywhere, &s->child[i].ip);
  s->child[i] = s->child[--s->n];
  if (s->o->verbosity >= TCPSERVER_VERBOSE) TLOG(s, tcp_end, log_u(number), log_u((uint64_t)status));
  print_status(s);
}

static void ended(struct tcpserver *s, int server, uint64_t number, int status) {
  for (size_t i = 0; i < s->n; ++i)
    if (s->child[i].number == number && s->child[i].server == server) {
      forget(s, i, status);
      return;
    }
}

static void connection_over(void *ctx, size_t server, uint64_t number) {
  ended(ctx, (int)server, number, 0);
}

static void connections_heard(void *ctx) {
  struct tcpserver *s = ctx;

  listen_or_not(s);
  log_buffer_flush(&s->log);
}

static void server_lost(void *ctx, size_t server) {
  struct tcpserver *s = ctx;
  struct strerr e;

  for (size_t i = s->n; i-- > 0;)
    if (s->child[i].server == (int)server) forget(s, i, SIGKILL);
  strerr_set(&e, "a resident server ended, starting it again", (char *)0);
  warn(s, &e);
}

static void complain(void *ctx, const struct strerr *e) {
  warn(ctx, e);
}

static void reread_limit(struct tcpserver *s) {
  struct strerr e;

  if (!s->o->limit_file) return;
  if (tcpserver_read_limit(s->o->limit_file, &s->limit, &e) == -1) warn(s, &e);
  print_status(s);
}

static void on_signal(void *ctx, int fd, unsigned events) {
  struct tcpserver *s = ctx;
  int sig, status;
  pid_t pid;

  (void)events;
  while ((sig = sigfd_next(fd)) > 0) {
    if (sig == SIGCHLD)
      while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (!residents_ended(&s->residents, pid)) ended(s, NO_SERVER, (uint64_t)pid, status);
    if (sig == SIGHUP) reread_limit(s);
    if (sig == SIGUSR1) print_table(s);
    if (sig == SIGTERM) loop_stop(&s->loop);
  }
  listen_or_not(s);
  log_buffer_flush(&s->log);
}

static int start_residents(struct tcpserver *s, struct strerr *e) {
  s->last_number = FIRST_NUMBER;
  s->residents.loop = &s->loop;
  s->residents.argv = s->o->program;
  s->residents.envp = tcpenv_base(&s->env);
  s->residents.over = connection_over;
  s->residents.heard = connections_heard;
  s->residents.lost = server_lost;
  s->residents.complain = complain;
  s->residents.ctx = s;
  return s->o->residents ? residents_start(&s->residents, (size_t)s->o->residents, e) : 0;
}

int tcpserver_run(const struct tcpserver_options *o, struct strerr *e) {
  struct tcpserver s = {.o = o, .limit = o->limit};
  int sig = sigfd_open(SIGCHLD, SIGHUP, SIGUSR1, SIGTERM, 0);

  sig_ignore_pipe();
  log_buffer_init(&s.log, 2, PREFIX);
  if (!tcpenv_init(&s.env, o->local_host, o->residents ? o->rules : 0)) return strerr_set(e, "out of memory", (char *)0);
  if (sig == -1 || loop_init(&s.loop) == -1 ||
      loop_io_add(&s.loop, &s.signals, sig, LOOP_READ, on_signal, &s) == -1 ||
      loop_io_add(&s.loop, &s.listener, o->listener, LOOP_READ, on_connection, &s) == -1)
    return strerr_sys(e, "unable to set up", (char *)0);
  if (start_residents(&s, e) == -1) return -1;
  listen_or_not(&s);
  print_status(&s);
  log_buffer_flush(&s.log);
  if (loop_run(&s.loop) == -1) return strerr_sys(e, "unable to wait for events", (char *)0);
  residents_free(&s.residents);
  free(s.child);
  tcpenv_free(&s.env);
  loop_free(&s.loop);
  return 0;
}
