/* peer: see peer.h. */
#include "smtp/peer.h"

#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/log.h"
#include "net/proxy_read.h"
#include "user/peer_trust.h"


/* What says something of the one before. */
static const char *const gone[] = {"TCPREMOTEIP",   "TCPREMOTEHOST", "TCPREMOTEPORT", "TCPREMOTEINFO", "TCP6REMOTEIP", "TCP6REMOTEHOST",
                                   "TCP6REMOTEPORT", "TCP6REMOTEINFO", "RELAYCLIENT",   "TCPPARANOID"};

static int set(struct env *env, const char *name, const char *value) {
  return !value || env_set(env, name, value);
}

static int fill(struct env *env, const struct env *from, const struct peer *p) {
  if (!env_copy(env, from)) return 0;
  for (size_t i = 0; i < sizeof gone / sizeof *gone; ++i)
    if (!env_unset(env, gone[i]) && env->inherit) return 0;
  if (p->local_ip && !env_unset(env, "TCP6LOCALIP") && env->inherit) return 0;
  return set(env, "TCPREMOTEIP", p->ip) && set(env, "TCPREMOTEPORT", p->port) && set(env, "TCPREMOTEHOST", p->host) &&
         set(env, "TCPLOCALIP", p->local_ip) && set(env, "TCPLOCALPORT", p->local_port);
}

int peer_set(struct session *s, const struct peer *p) {
  struct env *env = calloc(1, sizeof *env);

  if (!env || !fill(env, s->env, p)) {
    if (env) env_free(env);
    free(env);
    return -1;
  }
  peer_free(s);
  s->env = s->own_env = env;
  s->c.relay = 0;
  session_read_environment(s);
  return 0;
}

void peer_free(struct session *s) {
  if (!s->own_env) return;
  env_free(s->own_env);
  free(s->own_env);
  s->own_env = 0;
}

static int take_header(struct session *s, const struct proxy_header *h) {
  char from[IP_TEXT], to[IP_TEXT], from_port[FMT_U64 + 1], to_port[FMT_U64 + 1];
  const struct peer p = {from, fmt_u64_z(from_port, h->from_port), "", to, fmt_u64_z(to_port, h->to_port)};

  if (!h->known) return 0;
  ip_fmt(from, &h->from);
  ip_fmt(to, &h->to);
  return peer_set(s, &p);
}

static const char *read_header(struct session *s) {
  struct proxy_header h;
  const char *why;

  s->io_in.when = deadline_in(PROXY_SECONDS);
  if (proxy_read(&s->io_in, &h, &why) == -1) return why;
  return take_header(s, &h) == -1 ? "out of memory" : 0;
}

int peer_read_proxy(struct session *s) {
  const char *why = peer_trusted(s->conf, SET_proxyhosts, s->c.ip) ? read_header(s) : 0;

  if (!why) return 1;
  LOG(2, session_prefix(&s->c), smtp_closed, log_s(s->c.ip), log_u(s->c.number), log_s(why));
  s->over = 1;
  return 0;
}
