/* server: see server.h. */
#include "smtp/server.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "base/wait.h"
#include "conf/sandbox.h"
#include "net/dns.h"
#include "net/resident.h"
#include "net/starter.h"
#include "queue/filter.h"
#include "smtp/auth.h"
#include "smtp/policy.h"
#include "smtp/rights.h"

#define STACK 131072 /* of a session; it uses a tenth of that */

struct server {
  const struct smtp_server *which;
  struct settings_source settings;
  struct qqclient_pool queue;
  struct lookup_shelf lookups;
  struct session_stop stop;
  char *const *auth;
};

static void warn(const struct smtp_server *which, const struct strerr *e) {
  stralloc prefix = STRALLOC_INIT;

  if (stralloc_catm(&prefix, which->name, ": ", (char *)0)) strerr_warn(prefix.s, e);
  stralloc_free(&prefix);
}

/* We could hand over no message: tcpserver starts another one of us. */
static void end_ourselves(void) {
  raise(SIGTERM);
}

/* Before a client has said anything.  tell: what the kernel does not do is told; of many processes it is not. */
static int enter_sandbox(const struct smtp_server *which, const struct conf *conf, char *const *auth, int tell, struct strerr *e) {
  struct rights rights = {.auth = auth ? auth + 1 : 0};
  const struct starter_rules rules = {rights_may_start, &rights};
  struct strlist files = {0};
  const struct sandbox_places also = {.change = which->speaks == SPEAKS_QMTP ? filter_directory() : 0, .read = &files, .tcp_port = dns_tcp_port()};
  stralloc prefix = STRALLOC_INIT;
  int r = starter_begin(&rules, end_ourselves, e);

  if (r == 0) r = rights_files(&files, conf, e);
  if (r == 0 && stralloc_catm(&prefix, which->name, ": ", (char *)0)) sandbox_start(SANDBOX_qmail_smtpd, 1, &also, tell ? prefix.s : 0);
  else if (r == 0) r = strerr_set(e, "out of memory", (char *)0);
  stralloc_free(&prefix);
  strlist_free(&files);
  return r;
}

static int settings_ok(const struct conf *conf, struct strerr *e) {
  return policy_valid(conf, e) == 0 ? auth_settings_ok(conf, e) : -1;
}

static int run_session(const struct smtp_server *which, const struct session_place *at) {
  struct session s;
  int code;

  session_init(&s, at);
  s.c.speaks = which->speaks;
  code = which->run(&s);
  session_free(&s);
  return code;
}

static void serve(void *ctx, struct resident_connection *c) {
  struct server *server = ctx;
  struct lookup lookup = {.fd = -1, .slow = -1, .shelf = &server->lookups};
  struct settings settings;
  const struct session_place at = {.in = c->fd, .out = c->fd, .number = c->number, .settings = &settings,
                                   .source = &server->settings, .env = &c->env, .lookup = &lookup,
                                   .queue = &server->queue, .stop = &server->stop, .auth = server->auth};
  struct strerr e;

  if (settings_get(&server->settings, &c->env, &settings, &e) == -1) {
    warn(server->which, &e);
    (void)!send(c->fd, server->which->sorry, strlen(server->which->sorry), MSG_DONTWAIT | MSG_NOSIGNAL);
    return;
  }
  (void)run_session(server->which, &at);
  lookup_close(&lookup);
  settings_put(&server->settings, &settings);
}

static void stop_serving(void *ctx) {
  struct server *server = ctx;

  session_stop_all(&server->stop);
}

/* Where the settings cannot be read, what clients are told is another matter. */
static int begin_sandbox(const struct smtp_server *which, char *const *auth, struct strerr *e) {
  struct conf conf = {0};
  int bad = conf_load(&conf, CONF_SMTPD, e) == -1;
  int r = bad || conf_flag(&conf, SET_sandbox) ? enter_sandbox(which, bad ? 0 : &conf, auth, 1, e) : 0;

  conf_free(&conf);
  return r;
}

/* Once, for whoever set up the service. */
static void tell_vain(const struct smtp_server *which) {
  const char *name = qqclient_in_vain();
  struct strerr e;

  if (!name) return;
  strerr_set(&e, "warning: the variable ", name, " has no effect here: qmail-queue takes it from its control file alone", (char *)0);
  warn(which, &e);
}

static int stay(const struct smtp_server *which, char *const *auth) {
  struct server server = {.which = which, .auth = auth};
  const struct resident r = {serve, stop_serving, &server, STACK};
  struct strerr e;

  tell_vain(which);
  settings_source_init(&server.settings, 1, settings_ok);
  if (begin_sandbox(which, auth, &e) == -1 || resident_run(&r, &e) == -1) {
    warn(which, &e);
    return 111;
  }
  settings_source_free(&server.settings);
  return 0;
}

struct stop_signal {
  int fd;
  struct session_stop stop;
};

static void on_signal(void *ctx) {
  struct stop_signal *s = ctx;

  while (sigfd_next(s->fd) > 0) session_stop_all(&s->stop);
}

static int serve_one(const struct smtp_server *which, char *const *auth) {
  const struct env env = {.inherit = 1};
  struct lookup lookup = LOOKUP_INIT;
  struct stop_signal term = {.fd = sigfd_open(SIGTERM, 0)};
  struct settings_source source;
  struct settings settings;
  const struct session_place at = {.in = 0, .out = 1, .number = (uint64_t)getpid(), .settings = &settings, .source = &source,
                                   .env = &env, .lookup = &lookup, .stop = &term.stop, .auth = auth};
  struct strerr e;
  int code;

  settings_source_init(&source, 0, settings_ok);
  if (settings_get(&source, &env, &settings, &e) == -1 ||
      (conf_flag(settings.conf, SET_sandbox) && enter_sandbox(which, settings.conf, auth, 0, &e) == -1)) {
    (void)!fd_write_all(1, which->sorry, strlen(which->sorry));
    warn(which, &e);
    return 1;
  }
  wait_also(term.fd, on_signal, &term);
  code = run_session(which, &at);
  settings_put(&source, &settings);
  settings_source_free(&source);
  return code;
}

int smtp_server_main(const struct smtp_server *which, int may_login, int argc, char **argv) {
  int resident = 0;
  const struct option table[] = {{'W', OPTION_FLAG, &resident, 1}, {0, OPTION_FLAG, 0, 0}};
  stralloc usage = STRALLOC_INIT;
  char *const *auth;
  int first;

  if (!stralloc_catm(&usage, which->name, " [-W]", may_login ? " [hostname authprogram [argument ...]]" : "", (char *)0)) return 111;
  first = options_or_die(argc, argv, table, usage.s, 0, may_login ? -1 : 0);
  auth = argc - first > 1 ? argv + first : 0;
  if (argc - first == 1) strerr_die_usage(usage.s);
  stralloc_free(&usage);
  sig_ignore_pipe();
  return resident ? stay(which, auth) : serve_one(which, auth);
}
