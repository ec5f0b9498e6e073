/* verb_xclient: XCLIENT and XFORWARD: a proxy says for whom it speaks, a filter where a message came
 * from that it brings back.  From addresses that are listed, and nobody else. */
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "mail/client_attributes.h"
#include "smtp/peer.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"

#define BOTH (CLIENT_BIT(CLIENT_NAME) | CLIENT_BIT(CLIENT_ADDR) | CLIENT_BIT(CLIENT_PORT))
#define XCLIENT (BOTH | CLIENT_BIT(CLIENT_LOGIN) | CLIENT_BIT(CLIENT_DESTADDR) | CLIENT_BIT(CLIENT_DESTPORT))
#define XFORWARD (BOTH | CLIENT_BIT(CLIENT_PROTO) | CLIENT_BIT(CLIENT_HELO) | CLIENT_BIT(CLIENT_IDENT) | CLIENT_BIT(CLIENT_SOURCE))

static int list(stralloc *out, unsigned attributes) {
  for (int i = 0; i < CLIENT_ATTRIBUTES; ++i)
    if (attributes & CLIENT_BIT(i) && !stralloc_catm(out, " ", client_attribute_name((enum client_attribute)i), (char *)0)) return 0;
  return 1;
}

int ehlo_xclient(const struct session *s, stralloc *more) {
  return s->c.believed & BELIEVE_XCLIENT && list(more, XCLIENT);
}

int ehlo_xforward(const struct session *s, stralloc *more) {
  return s->c.believed & BELIEVE_XFORWARD && list(more, XFORWARD);
}

/* 1, or 0 when it is not for this client to say, or makes no sense (replied). */
static int parse(struct session *s, unsigned believed, unsigned allowed, const char *arg, size_t n, struct client_attributes *a) {
  int r;

  if (!(s->c.believed & believed)) {
    reply_refuse(s, 550, "5.7.1", "not from this address");
    return 0;
  }
  r = client_attributes_parse(arg, n, allowed, a);
  if (r == 0) reply_refuse(s, 501, "5.5.4", "that is no list of attributes");
  if (r == -1) reply_close(s, "4.3.0", "out of memory");
  return r == 1;
}

/* The value, or null when it was not given. */
static const char *value(struct client_attributes *a, enum client_attribute which) {
  return a->given & CLIENT_BIT(which) ? stralloc_cstr(&a->value[which]) : 0;
}

static int become(struct session *s, struct client_attributes *a) {
  const char *login = value(a, CLIENT_LOGIN);
  const char *ip = value(a, CLIENT_ADDR);
  const char *host = value(a, CLIENT_NAME);
  const struct peer p = {.ip = ip ? *ip ? ip : "unknown" : s->c.ip,
                         .host = host ? host : ip ? "" : s->c.host,
                         .port = value(a, CLIENT_PORT),
                         .local_ip = value(a, CLIENT_DESTADDR),
                         .local_port = value(a, CLIENT_DESTPORT)};

  if (peer_set(s, &p) == -1 || !stralloc_copys(&s->c.user, login ? login : "")) return 0;
  s->c.proxied = 1;
  s->c.authenticated = s->c.auth_may_relay = s->c.user.len > 0;
  return 1;
}

/* A new client begins at the beginning. */
void verb_xclient(struct session *s, const char *arg, size_t n) {
  struct client_attributes a = {0};

  if (parse(s, BELIEVE_XCLIENT, XCLIENT, arg, n, &a)) {
    if (become(s, &a)) session_greet(s);
    else reply_close(s, "4.3.0", "out of memory");
  }
  client_attributes_free(&a);
}

static const char *shown(struct client_attributes *a, enum client_attribute which) {
  const char *v = value(a, which);

  return v && *v ? v : "-";
}

/* For the log: the id is that of the message to come. */
void verb_xforward(struct session *s, const char *arg, size_t n) {
  struct client_attributes a = {0};

  if (parse(s, BELIEVE_XFORWARD, XFORWARD, arg, n, &a)) {
    LOG(2, session_prefix(&s->c), smtp_forwarded, log_s(s->c.ip), log_u(s->c.number), log_s(shown(&a, CLIENT_ADDR)), log_s(shown(&a, CLIENT_NAME)),
        log_s(shown(&a, CLIENT_HELO)), log_s(shown(&a, CLIENT_IDENT)), log_s(s->messid));
    reply(s, 250, "2.0.0", "noted");
  }
  client_attributes_free(&a);
}
