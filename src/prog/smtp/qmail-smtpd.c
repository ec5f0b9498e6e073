/* qmail-smtpd: the SMTP server, on descriptors 0 and 1, log on 2; with -W a resident one
 * for connections that tcpserver hands over.  The dialogue is in smtp/session.c, what it
 * speaks in smtp/verbs.def, how it judges in smtp/checks.def. */
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "base/wait.h"
#include "conf/conf_share.h"
#include "net/resident.h"
#include "smtp/policy.h"
#include "smtp/session.h"

#define PREFIX "qmail-smtpd: "
#define USAGE "qmail-smtpd [-W] [hostname authprogram [argument ...]]"
#define SORRY "421 4.3.5 this server is misconfigured, please try again later\r\n"
#define STACK 131072 /* of a session; it uses a tenth of that */

struct server {
  struct conf_share share;
  struct list_cache lists;
  struct qqclient_pool queue;
  struct lookup_shelf lookups;
  struct session_stop stop;
  char *const *auth;
};

/* What is made of a snapshot of settings, once for all sessions that share it. */
struct rules {
  struct lists lists;
  struct content_rules content;
};

/* 0, or -1 with e filled; rules_close in any case. */
static int rules_open(struct rules *r, struct list_cache *cache, const struct conf *conf, struct strerr *e) {
  return lists_open(&r->lists, cache, conf, e) == 0 ? content_rules_open(&r->content, conf, e) : -1;
}

static void rules_close(struct rules *r) {
  lists_close(&r->lists);
  content_rules_close(&r->content);
}

static int run_session(const struct session_place *at) {
  struct session s;
  int code;

  session_init(&s, at);
  code = session_run(&s);
  session_free(&s);
  return code;
}

static void serve(void *ctx, struct resident_connection *c) {
  struct server *server = ctx;
  struct lookup lookup = {-1, -1, &server->lookups};
  const struct rules *rules;
  struct session_place at = {.in = c->fd, .out = c->fd, .number = c->number, .env = &c->env, .lookup = &lookup,
                             .queue = &server->queue, .stop = &server->stop, .auth = server->auth};
  struct strerr e;
  struct conf_shared *conf = conf_share_get(&server->share, &c->env, &e);

  if (!conf) {
    strerr_warn(PREFIX, &e);
    (void)!send(c->fd, SORRY, sizeof SORRY - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    return;
  }
  at.conf = conf_shared(conf);
  rules = conf_shared_attached(conf);
  at.lists = &rules->lists;
  at.content_rules = &rules->content;
  (void)run_session(&at);
  lookup_close(&lookup);
  conf_share_put(&server->share, conf);
}

static void *make_rules(void *ctx, const struct conf *conf, struct strerr *e) {
  struct rules *r = calloc(1, sizeof *r);

  if (!r) {
    strerr_set(e, "out of memory", (char *)0);
    return 0;
  }
  if (rules_open(r, ctx, conf, e) == 0) return r;
  rules_close(r);
  free(r);
  return 0;
}

static void drop_rules(void *made) {
  rules_close(made);
  free(made);
}

static void stop_serving(void *ctx) {
  struct server *server = ctx;

  session_stop_all(&server->stop);
}

static int stay(char *const *auth) {
  struct server server = {.auth = auth};
  const struct resident r = {serve, stop_serving, &server, STACK};
  struct strerr e;

  conf_share_init(&server.share, CONF_SMTPD, policy_valid);
  server.share.attach = (struct conf_attach){make_rules, drop_rules, &server.lists};
  if (resident_run(&r, &e) == -1) strerr_die(111, PREFIX, &e);
  conf_share_free(&server.share);
  list_cache_free(&server.lists);
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

static int serve_one(char *const *auth) {
  const struct env env = {.inherit = 1};
  struct lookup lookup = LOOKUP_INIT;
  struct stop_signal term = {.fd = sigfd_open(SIGTERM, 0)};
  struct session_place at = {.in = 0, .out = 1, .number = (uint64_t)getpid(), .env = &env, .lookup = &lookup,
                             .stop = &term.stop, .auth = auth};
  struct list_cache cache = {0};
  struct rules rules = {0};
  struct conf conf;
  struct strerr e;
  int code;

  if (conf_load(&conf, CONF_SMTPD, &e) == -1 || policy_valid(&conf, &e) == -1 ||
      rules_open(&rules, &cache, &conf, &e) == -1) {
    (void)!fd_write_all(1, SORRY, sizeof SORRY - 1);
    strerr_die(1, PREFIX, &e);
  }
  wait_also(term.fd, on_signal, &term);
  at.conf = &conf;
  at.lists = &rules.lists;
  at.content_rules = &rules.content;
  code = run_session(&at);
  rules_close(&rules);
  list_cache_free(&cache);
  conf_free(&conf);
  return code;
}

int main(int argc, char **argv) {
  int resident = 0;
  const struct option table[] = {{'W', OPTION_FLAG, &resident, 1}, {0, OPTION_FLAG, 0, 0}};
  int first = options_or_die(argc, argv, table, USAGE, 0, -1);
  char *const *auth = argc - first > 1 ? argv + first + 1 : 0;

  if (argc - first == 1) strerr_die_usage(USAGE);
  sig_ignore_pipe();
  return resident ? stay(auth) : serve_one(auth);
}
