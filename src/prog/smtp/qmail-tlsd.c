/* qmail-tlsd: does TLS for the other programs (net/tls_proto.h), many connections in
 * one process, or one connection for the program that started it (-1).  The key is
 * read with the rights it was started with; everything that listens to the network
 * runs as the -u user. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "conf/conf.h"
#include "conf/paths.h"
#include "conf/sandbox.h"
#include "net/keeper.h"
#include "net/tls_names.h"
#include "net/tls_service.h"

#define PREFIX "qmail-tlsd: "
#define USAGE "qmail-tlsd [-1] [-u user] [-g group] [-t seconds]"
#define CONTROL_FD 3
#define LOOK_EVERY 1 /* seconds between looks for a new certificate */
#define BACKLOG 512
#define NOBODY 65534
#define LAST_LINGER 2 /* seconds for a peer to hang up when we were told to end */

struct daemon {
  struct tls_service service;
  struct conf conf;
  stralloc certificate, socket;
  stralloc names_dir;
  struct tls_names names;
  int keeper; /* -1: files are opened by ourselves */
  struct stat seen;
  deadline next_look;
  int signals;
  struct loop_io signals_io;
};

static struct options {
  int once;
  const char *user, *group;
  uint64_t idle;
} opt = {0, "qmaild", "qmail", 7200};

static struct ssl_ctx_st *by_name(void *ctx, const char *name) {
  struct daemon *d = ctx;

  return tls_names_find(&d->names, name);
}

/* Reads the settings anew and takes them when they are valid: 0 or -1.  Connections
 * there are keep what they were made with. */
static int load_settings(struct daemon *d, struct strerr *e) {
  struct conf conf;
  struct tls_engine engine = {0};
  stralloc path = STRALLOC_INIT;
  const char *name;

  if (conf_load(&conf, CONF_TLS, e) == -1 ||
      tls_engine_open(&engine, conf_line(&conf, SET_tlsservermethod), conf_line(&conf, SET_servercipherlist), e) == -1) {
    tls_engine_close(&engine);
    conf_free(&conf);
    return -1;
  }
  name = conf_line(&conf, SET_servercert);
  if (!(*name == '/' ? stralloc_copys(&path, name) : paths_file(PATH_CERTS, name, &path))) strerr_die_nomem(PREFIX);
  /* Until the file has given a new one, or if it never does. */
  engine.server = d->service.engine.server;
  d->service.engine.server = 0;
  stralloc_free(&d->certificate);
  conf_free(&d->conf);
  tls_engine_close(&d->service.engine);
  d->certificate = path;
  d->conf = conf;
  d->service.engine = engine;
  d->service.engine.by_name = by_name;
  d->service.engine.by_name_ctx = d;
  tls_names_flush(&d->names);
  d->next_look = 0;
  memset(&d->seen, 0, sizeof d->seen);
  return 0;
}

static int open_name(void *ctx, const char *name) {
  struct daemon *d = ctx;
  stralloc path = STRALLOC_INIT;
  int found, fd = -1;

  if (d->keeper != -1) return keeper_open(d->keeper, name);
  found = keeper_path(d->names_dir.s, name, &path);
  if (found == 1) fd = fd_open_read(path.s);
  else errno = found == 0 ? ENOENT : ENOMEM;
  stralloc_free(&path);
  return fd;
}

static void warn_name(void *ctx, const struct strerr *e) {
  (void)ctx;
  strerr_warn(PREFIX, e);
}

/* Loads the certificate if it is another one than last time.  A bad new one leaves
 * the old one in use. */
static void look(void *ctx) {
  struct daemon *d = ctx;
  struct strerr e;
  struct stat st;
  int fd;

  if (mono_now() < d->next_look) return;
  d->next_look = deadline_in(LOOK_EVERY);
  fd = d->keeper == -1 ? fd_open_read(d->certificate.s) : keeper_open(d->keeper, "");
  if (fd == -1 || fstat(fd, &st) == -1) {
    if (!d->service.engine.server) strerr_warnm_sys(PREFIX, "unable to open ", d->certificate.s, (char *)0);
  } else if (!tls_names_same_file(&st, &d->seen)) {
    d->seen = st;
    if (tls_engine_load(&d->service.engine, fd, d->certificate.s, &e) == -1) strerr_warn(PREFIX, &e);
  }
  fd_close(fd);
}

static void become(uid_t uid, gid_t gid) {
  if (setgroups(1, &gid) == -1 || setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1)
    strerr_diem_sys(111, PREFIX, "unable to become ", opt.user, (char *)0);
}

/* For one connection nobody will do where the account was never made. */
static void become_user(void) {
  const struct passwd *pw;

  if (geteuid()) return;
  pw = getpwnam(opt.user);
  if (!pw && !opt.once) strerr_diem(111, PREFIX, "no such user: ", opt.user, (char *)0);
  become(pw ? pw->pw_uid : NOBODY, pw ? pw->pw_gid : NOBODY);
}

static void more_descriptors(void) {
  struct rlimit r;

  if (getrlimit(RLIMIT_NOFILE, &r) == -1) return;
  r.rlim_cur = r.rlim_max;
  setrlimit(RLIMIT_NOFILE, &r);
}

/* Who may connect gets our certificate's name for any socket of his: the -g group. */
static void give_socket(const char *path) {
  const struct group *gr = geteuid() ? 0 : getgrnam(opt.group);

  if (!geteuid() && !gr) strerr_diem(111, PREFIX, "no such group: ", opt.group, (char *)0);
  if (gr && chown(path, (uid_t)-1, gr->gr_gid) == -1) strerr_diem_sys(111, PREFIX, "unable to chown ", path, (char *)0);
  if (chmod(path, gr ? 0660 : 0600) == -1) strerr_diem_sys(111, PREFIX, "unable to chmod ", path, (char *)0);
}

static int open_socket(struct daemon *d) {
  struct sockaddr_un sa = {.sun_family = AF_UNIX};
  stralloc dir = STRALLOC_INIT;
  mode_t mask;
  int fd;

  if (!paths_get(PATH_RUN, &dir)) strerr_die_nomem(PREFIX);
  if (file_mkdir(dir.s, 0755) == -1) strerr_diem_sys(111, PREFIX, "unable to make ", dir.s, (char *)0);
  if (!stralloc_catlit(&dir, "/tls") || !stralloc_copy(&d->socket, &dir) || !stralloc_catlit(&d->socket, "/socket"))
    strerr_die_nomem(PREFIX);
  if (file_mkdir(dir.s, 0755) == -1) strerr_diem_sys(111, PREFIX, "unable to make ", dir.s, (char *)0);
  if (!stralloc_catlit(&dir, "/lock")) strerr_die_nomem(PREFIX);
  if (lock_file_nb(dir.s) == -1) strerr_diem_sys(111, PREFIX, "unable to lock ", dir.s, (char *)0);
  if (d->socket.len >= sizeof sa.sun_path) strerr_diem(111, PREFIX, "path too long: ", d->socket.s, (char *)0);
  memcpy(sa.sun_path, d->socket.s, d->socket.len + 1);
  unlink(d->socket.s);
  fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  mask = umask(077);
  if (fd == -1 || bind(fd, (struct sockaddr *)&sa, sizeof sa) == -1)
    strerr_diem_sys(111, PREFIX, "unable to bind ", d->socket.s, (char *)0);
  umask(mask);
  give_socket(d->socket.s);
  if (listen(fd, BACKLOG) == -1) strerr_diem_sys(111, PREFIX, "unable to listen on ", d->socket.s, (char *)0);
  stralloc_free(&dir);
  return fd;
}

static void reload(struct daemon *d) {
  struct strerr e;

  if (load_settings(d, &e) == -1) strerr_warn(PREFIX, &e);
  else look(d);
}

static void on_signal(void *ctx, int fd, unsigned events) {
  struct daemon *d = ctx;
  int sig;

  while ((sig = sigfd_next(fd)) > 0) {
    if (sig == SIGHUP) reload(d);
    if (sig != SIGTERM && sig != SIGINT) continue;
    unlink(d->socket.s);
    d->service.relays.linger = LAST_LINGER;
    tls_service_stop(&d->service);
  }
}

/* The certificate may lie anywhere; who was root gets it from the keeper. */
static void run(struct daemon *d) {
  stralloc dir = STRALLOC_INIT;

  if (file_dirname(d->certificate.s, &dir) == -1) strerr_die_nomem(PREFIX);
  sandbox_start(SANDBOX_qmail_tlsd, conf_flag(&d->conf, SET_sandbox), d->keeper == -1 ? &(struct sandbox_places){.change = dir.s} : 0, PREFIX);
  stralloc_free(&dir);
  if (loop_run(&d->service.loop) == -1) strerr_diem_sys(111, PREFIX, "unable to wait for events", (char *)0);
}

static void start_keeper(struct daemon *d) {
  struct strerr e;

  if (geteuid()) return;
  d->keeper = keeper_start(d->certificate.s, d->names_dir.s, &e);
  if (d->keeper == -1) strerr_die(111, PREFIX, &e);
}

static void serve(struct daemon *d) {
  int fd;

  start_keeper(d);
  fd = open_socket(d);
  become_user();
  look(d);
  d->signals = sigfd_open(SIGTERM, SIGINT, SIGHUP, 0);
  if (d->signals == -1 || tls_service_init(&d->service) == -1 || tls_service_listen(&d->service, fd) == -1 ||
      loop_io_add(&d->service.loop, &d->signals_io, d->signals, LOOP_READ, on_signal, d) == -1)
    strerr_diem_sys(111, PREFIX, "unable to start", (char *)0);
  run(d);
}

/* The caller waits for our parent only, and shares none of its descriptors with us
 * but the control socket and the log. */
static void serve_one(struct daemon *d) {
  int null;
  pid_t pid = fork();

  if (pid == -1) strerr_diem_sys(111, PREFIX, "unable to fork", (char *)0);
  if (pid) _exit(0);
  null = open("/dev/null", O_RDWR);
  if (null == -1 || dup2(null, 0) == -1 || dup2(null, 1) == -1)
    strerr_diem_sys(111, PREFIX, "unable to open /dev/null", (char *)0);
  start_keeper(d);
  look(d);
  become_user();
  if (tls_service_init(&d->service) == -1) strerr_diem_sys(111, PREFIX, "unable to start", (char *)0);
  d->service.before = 0;
  if (tls_service_once(&d->service, CONTROL_FD) == -1) strerr_diem(111, PREFIX, "no request on descriptor 3", (char *)0);
  tls_service_stop(&d->service);
  if (d->service.relays.count) run(d);
}

int main(int argc, char **argv) {
  static struct daemon d = {.keeper = -1, .signals = -1};
  const struct option table[] = {
      {'1', OPTION_FLAG, &opt.once, 1},
      {'u', OPTION_STRING, &opt.user, 0},
      {'g', OPTION_STRING, &opt.group, 0},
      {'t', OPTION_U64, &opt.idle, 10 * 365 * 86400},
      {0, OPTION_FLAG, 0, 0},
  };

  struct strerr e;

  options_or_die(argc, argv, table, USAGE, 0, 0);
  sig_ignore_pipe();
  more_descriptors();
  if (!paths_file(PATH_CERTS, "names", &d.names_dir)) strerr_die_nomem(PREFIX);
  d.names = (struct tls_names){.engine = &d.service.engine, .open = open_name, .warn = warn_name, .ctx = &d};
  if (load_settings(&d, &e) == -1) strerr_die(e.permanent ? 100 : 111, PREFIX, &e);
  d.service.relays.idle = (int64_t)opt.idle;
  d.service.before = look;
  d.service.ctx = &d;
  if (opt.once) serve_one(&d);
  else serve(&d);
  return 0;
}
