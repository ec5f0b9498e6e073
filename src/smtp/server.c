/* server: see server.h. */
#include "smtp/server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "conf/conf_share.h"
#include "net/resident.h"
#include "smtp/policy.h"

#define STACK 131072 /* of a session; it uses a tenth of that */

struct server {
  const struct smtp_server *which;
  struct conf_share share;
  struct list_cache lists;
  struct qqclient_pool queue;
  struct lookup_shelf lookups;
  char *const *auth;
};

static void warn(const struct smtp_server *which, const struct strerr *e) {
  stralloc prefix = STRALLOC_INIT;

  if (stralloc_catm(&prefix, which->name, ": ", (char *)0)) strerr_warn(prefix.s, e);
  stralloc_free(&prefix);
}

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
  struct lookup lookup = {-1, -1, &server->lookups};
  const struct rules *rules;
  struct session_place at = {.in = c->fd, .out = c->fd, .number = c->number, .env = &c->env, .lookup = &lookup,
                             .queue = &server->queue, .auth = server->auth};
  struct strerr e;
  struct conf_shared *conf = conf_share_get(&server->share, &c->env, &e);

  if (!conf) {
    warn(server->which, &e);
    (void)!send(c->fd, server->which->sorry, strlen(server->which->sorry), MSG_DONTWAIT | MSG_NOSIGNAL);
    return;
  }
  at.conf = conf_shared(conf);
  rules = conf_shared_attached(conf);
  at.lists = &rules->lists;
  at.content_rules = &rules->content;
  (void)run_session(server->which, &at);
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

static int stay(const struct smtp_server *which, char *const *auth) {
  struct server server = {.which = which, .auth = auth};
  const struct resident r = {serve, &server, STACK};
  struct strerr e;

  conf_share_init(&server.share, CONF_SMTPD, policy_valid);
  server.share.attach = (struct conf_attach){make_rules, drop_rules, &server.lists};
  if (resident_run(&r, &e) == -1) {
    warn(which, &e);
    return 111;
  }
  conf_share_free(&server.share);
  list_cache_free(&server.lists);
  return 0;
}

static int serve_one(const struct smtp_server *which, char *const *auth) {
  const struct env env = {.inherit = 1};
  struct lookup lookup = LOOKUP_INIT;
  struct session_place at = {.in = 0, .out = 1, .number = (uint64_t)getpid(), .env = &env, .lookup = &lookup, .auth = auth};
  struct list_cache cache = {0};
  struct rules rules = {0};
  struct conf conf;
  struct strerr e;
  int code;

  if (conf_load(&conf, CONF_SMTPD, &e) == -1 || policy_valid(&conf, &e) == -1 ||
      rules_open(&rules, &cache, &conf, &e) == -1) {
    (void)!fd_write_all(1, which->sorry, strlen(which->sorry));
    warn(which, &e);
    return 1;
  }
  at.conf = &conf;
  at.lists = &rules.lists;
  at.content_rules = &rules.content;
  code = run_session(which, &at);
  rules_close(&rules);
  list_cache_free(&cache);
  conf_free(&conf);
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
  auth = argc - first > 1 ? argv + first + 1 : 0;
  if (argc - first == 1) strerr_die_usage(usage.s);
  stralloc_free(&usage);
  sig_ignore_pipe();
  return resident ? stay(which, auth) : serve_one(which, auth);
}
