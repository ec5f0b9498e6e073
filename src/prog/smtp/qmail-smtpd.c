/* qmail-smtpd: the SMTP server, on descriptors 0 and 1, log on 2; with -W a resident one
 * for connections that tcpserver hands over.  The dialogue is in smtp/session.c, what it
 * speaks in smtp/verbs.def, how it judges in smtp/checks.def. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/options.h"
#include "base/sigfd.h"
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
  char *const *auth;
};

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
  struct session_place at = {c->fd, c->fd, c->number, 0, 0, &c->env, &lookup, &server->queue, server->auth};
  struct strerr e;
  struct conf_shared *conf = conf_share_get(&server->share, &c->env, &e);

  if (!conf) {
    strerr_warn(PREFIX, &e);
    (void)!send(c->fd, SORRY, sizeof SORRY - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    return;
  }
  at.conf = conf_shared(conf);
  at.lists = conf_shared_attached(conf);
  (void)run_session(&at);
  lookup_close(&lookup);
  conf_share_put(&server->share, conf);
}

static void *make_lists(void *ctx, const struct conf *conf, struct strerr *e) {
  struct lists *l = malloc(sizeof *l);

  if (!l) {
    strerr_set(e, "out of memory", (char *)0);
    return 0;
  }
  if (lists_open(l, ctx, conf, e) == 0) return l;
  free(l);
  return 0;
}

static void drop_lists(void *made) {
  lists_close(made);
  free(made);
}

static int stay(char *const *auth) {
  struct server server = {.auth = auth};
  const struct resident r = {serve, &server, STACK};
  struct strerr e;

  conf_share_init(&server.share, CONF_SMTPD, policy_valid);
  server.share.attach = (struct conf_attach){make_lists, drop_lists, &server.lists};
  if (resident_run(&r, &e) == -1) strerr_die(111, PREFIX, &e);
  conf_share_free(&server.share);
  list_cache_free(&server.lists);
  return 0;
}

static int serve_one(char *const *auth) {
  const struct env env = {.inherit = 1};
  struct lookup lookup = LOOKUP_INIT;
  struct session_place at = {0, 1, (uint64_t)getpid(), 0, 0, &env, &lookup, 0, auth};
  struct list_cache cache = {0};
  struct lists lists = {0};
  struct conf conf;
  struct strerr e;
  int code;

  if (conf_load(&conf, CONF_SMTPD, &e) == -1 || policy_valid(&conf, &e) == -1 ||
      lists_open(&lists, &cache, &conf, &e) == -1) {
    (void)!fd_write_all(1, SORRY, sizeof SORRY - 1);
    strerr_die(1, PREFIX, &e);
  }
  at.conf = &conf;
  at.lists = &lists;
  code = run_session(&at);
  lists_close(&lists);
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
