/* login_proxy: see login_proxy.h. */
#include "user/login_proxy.h"

#include <string.h>

#include "base/env.h"
#include "net/pump.h"

#define STORE_SECONDS 60 /* for the whole login there */
#define IDLE_LEAST 30

/* How the two protocols differ. */
static const struct proxied {
  const char *service;
  uint16_t port;
  store_login *login;
} proxied[] = {{"imap", 143, store_imap}, {"pop3", 110, store_pop3}};

static const struct proxied *proxied_as(const struct login *l) {
  size_t i = 0;

  while (strcmp(proxied[i].service, l->protocol->service)) ++i;
  return &proxied[i];
}

/* The store's answer to our login as its answer to the client's: its own tag in front. */
static int hand_on(struct login *l, const struct store *s, const char *tag) {
  const char *text = l->protocol->uses_tag ? strchr(s->line.s, ' ') : s->line.s;

  if (!text || (s->before.len && login_say(l, s->before.s, s->before.len) == -1)) return -1;
  if (l->protocol->uses_tag && login_says(l, tag) == -1) return -1;
  return login_says(l, text) == -1 || login_says(l, "\r\n") == -1 || login_flush(l) == -1 ? -1 : 0;
}

static void log_end(const struct login *l, const char *user, const struct pump_count *n) {
  const struct log_arg arg[] = {log_s(user), log_s(l->remote.s), log_u(n->forth), log_u(n->back)};

  login_log(l, LOG_proxy_end, arg, sizeof arg / sizeof *arg);
}

static enum login_verdict copy(struct login *l, struct store *s, const char *tag) {
  const struct pump_side client = {l->in, l->out}, store = {s->fd, s->fd};
  int64_t idle = (int64_t)conf_number(l->conf, SET_data_timeout);
  struct pump_count n;
  struct strerr e;

  stralloc_wipe(&l->password);
  if (hand_on(l, s, tag) == -1) return LOGIN_GONE;
  if (pump(&client, &store, idle < IDLE_LEAST ? IDLE_LEAST : idle, &n, &e) == PUMP_FAILED) login_trouble(l, &e);
  log_end(l, l->user.s, &n);
  return LOGIN_GONE;
}

/* "a NO [CODE] text", "-ERR [CODE] text": the text. */
static const char *reason(const struct store *s) {
  const char *end = strchr(s->line.s, ']');

  return end ? end + 1 + strspn(end + 1, " ") : "the mailbox is closed";
}

static enum login_verdict conclude(struct login *l, struct store *s, enum store_verdict v, const char *tag, const struct strerr *e) {
  switch (v) {
    case STORE_IN: login_welcome(l, l->user.s); return copy(l, s, tag);
    case STORE_WRONG: return login_reject(l, l->user.s, "");
    case STORE_REFUSED: return login_reject(l, l->user.s, reason(s));
    case STORE_TEMPFAIL: login_trouble(l, e); break;
  }
  return LOGIN_TEMPFAIL;
}

static enum login_verdict judge(struct login *l, const char *tag) {
  const char *port = env_get("TCPREMOTEPORT");
  const struct store_user u = {l->user.s, l->password.s, l->remote.s, l->remote_port.len ? l->remote_port.s : port ? port : ""};
  deadline when = deadline_min(l->session, deadline_in(STORE_SECONDS));
  enum store_verdict v = STORE_TEMPFAIL;
  struct store s = STORE_INIT;
  enum login_verdict verdict;
  struct strerr e;

  if (store_open(&s, l->store, &u, when, &e) == 0) v = proxied_as(l)->login(&s, l->store, &u, &e);
  verdict = conclude(l, &s, v, tag, &e);
  store_close(&s);
  return verdict;
}

int login_proxy_start(struct login *l, struct store_place *place, struct strerr *e) {
  const struct proxied *p = proxied_as(l);
  int r = store_place_find(place, l->conf, p->service, p->port, e);

  if (r != 1) return r;
  l->judge = judge;
  l->store = place;
  return 0;
}
