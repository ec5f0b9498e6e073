/* login_peer: see login_peer.h. */
#include "user/login_peer.h"

#include <errno.h>
#include <string.h>

#include "base/fmt.h"
#include "base/iodeadline.h"
#include "base/scan.h"
#include "net/proxy_read.h"
#include "user/peer_trust.h"

static int no_memory(struct strerr *e) {
  return strerr_set(e, "out of memory", (char *)0);
}

/* Addresses of a header: the client's real one decides what it may do without TLS. */
static int take(struct login *l, const struct proxy_header *h) {
  char from[IP_TEXT], to[IP_TEXT];

  ip_fmt(from, &h->from);
  ip_fmt(to, &h->to);
  l->loopback = ip_is_loopback(&h->from);
  stralloc_cut(&l->remote_port, 0);
  if (!stralloc_copys(&l->remote, from) || !stralloc_catu64(&l->remote_port, h->from_port) || !stralloc_copys(&l->local, to) ||
      !stralloc_catu64(&l->local_port, h->to_port))
    return 0;
  l->lookup.here = l->local.s;
  return 1;
}

int login_peer_start(struct login *l, struct strerr *e) {
  struct iodeadline io = {.fd = l->in, .when = deadline_in(PROXY_SECONDS), .session = l->session};
  struct proxy_header h;
  const char *why;

  if (!peer_trusted(l->conf, SET_proxyhosts, l->remote.s)) return 0;
  if (proxy_read(&io, &h, &why) == -1) return strerr_set(e, "from ", l->remote.s, ": ", why, (char *)0);
  return !h.known || take(l, &h) ? 0 : no_memory(e);
}

int login_peer_is_proxy(const struct login *l) {
  return !l->proxied && peer_trusted(l->conf, SET_xclienthosts, l->remote.s);
}

int login_peer_set(struct login *l, const char *ip, const char *port) {
  char text[IP_TEXT];
  struct ip parsed;
  uint64_t u = 0;

  if (!ip_scan(ip, strlen(ip), &parsed) || (port && !scan_u64_max(port, strlen(port), 65535, &u))) return 0;
  ip_fmt(text, &parsed);
  stralloc_cut(&l->remote_port, 0);
  if (!stralloc_copys(&l->remote, text) || !stralloc_catu64(&l->remote_port, u)) return -1;
  l->proxied = 1; /* a proxy has one client */
  return 1;
}

int login_peer_environment(const struct login *l, struct env *env) {
  const struct {
    const char *name;
    const stralloc *value;
  } said[] = {{"TCPREMOTEPORT", &l->remote_port}, {"TCPLOCALIP", &l->local}, {"TCPLOCALPORT", &l->local_port}};
  static const char *const gone[] = {"TCPREMOTEHOST", "TCPREMOTEINFO", "TCP6REMOTEIP", "TCP6REMOTEHOST", "TCP6REMOTEPORT", "TCP6REMOTEINFO"};

  if (l->remote_port.len)
    for (size_t i = 0; i < sizeof gone / sizeof *gone; ++i) env_unset(env, gone[i]);
  for (size_t i = 0; i < sizeof said / sizeof *said; ++i)
    if (said[i].value->len && !env_set(env, said[i].name, said[i].value->s)) return 0;
  return env_set(env, "TCPREMOTEIP", l->remote.s);
}
