/* store_pop3: a login to a POP3 server (RFC 1939) for somebody else: CAPA (RFC 2449), STLS, who the
 * client is (XCLIENT), USER and PASS. */
#include <string.h>

#include "user/store.h"

#define LINES_MAX 100 /* of CAPA */

enum { CAPA_STLS = 1, CAPA_XCLIENT = 2 };

struct dialogue {
  struct store *s;
  const struct store_place *p;
  const struct store_user *u;
  struct strerr *e;
  unsigned capabilities;
};

static int is_ok(const struct dialogue *d) {
  return stralloc_starts(&d->s->line, "+OK");
}

/* The answer, which has to be +OK. */
static int succeeded(struct dialogue *d) {
  if (store_read(d->s, d->e) == -1) return -1;
  if (is_ok(d)) return 0;
  store_odd(d->s, d->e);
  return -1;
}

/* A server without CAPA has nothing of it. */
static int ask_capabilities(struct dialogue *d) {
  d->capabilities = 0;
  if (store_say(d->s, d->e, "CAPA", (char *)0) == -1 || store_read(d->s, d->e) == -1) return -1;
  if (!is_ok(d)) return 0;
  for (int i = 0; i < LINES_MAX; ++i) {
    if (store_read(d->s, d->e) == -1) return -1;
    if (stralloc_equals(&d->s->line, ".")) return 0;
    if (store_has_word(d->s->line.s, "STLS")) d->capabilities |= CAPA_STLS;
    if (store_has_word(d->s->line.s, "XCLIENT")) d->capabilities |= CAPA_XCLIENT;
  }
  return strerr_set(d->e, "the mail store's list of capabilities does not end", (char *)0);
}

static int start_tls(struct dialogue *d) {
  if (d->p->tls != STORE_STARTTLS) return 0;
  if (!(d->capabilities & CAPA_STLS)) return strerr_set(d->e, "the mail store offers no STLS", (char *)0);
  if (store_say(d->s, d->e, "STLS", (char *)0) == -1 || succeeded(d) == -1 || store_tls(d->s, d->p, d->e) == -1) return -1;
  return ask_capabilities(d);
}

static int say_client(struct dialogue *d) {
  const struct store_user *u = d->u;
  const char *family = strchr(u->ip, ':') ? "IPV6:" : "";

  if (d->p->client != STORE_CLIENT_SAID || !(d->capabilities & CAPA_XCLIENT)) return 0;
  if (store_say(d->s, d->e, "XCLIENT ADDR=", family, u->ip, *u->port ? " PORT=" : "", u->port, (char *)0) == -1) return -1;
  return succeeded(d);
}

static enum store_verdict judge(struct dialogue *d) {
  const char *line = d->s->line.s;

  if (is_ok(d)) return STORE_IN;
  if (store_has_word(line, "SYS/TEMP") || store_has_word(line, "IN-USE") || store_has_word(line, "LOGIN-DELAY")) return store_odd(d->s, d->e);
  return store_has_word(line, "SYS/PERM") ? STORE_REFUSED : STORE_WRONG;
}

enum store_verdict store_pop3(struct store *s, const struct store_place *p, const struct store_user *u, struct strerr *e) {
  struct dialogue d = {.s = s, .p = p, .u = u, .e = e};

  if (succeeded(&d) == -1 || ask_capabilities(&d) == -1 || start_tls(&d) == -1 || say_client(&d) == -1) return STORE_TEMPFAIL;
  if (store_say(s, e, "USER ", u->user, (char *)0) == -1 || store_read(s, e) == -1) return STORE_TEMPFAIL;
  if (!is_ok(&d)) return judge(&d);
  if (store_say(s, e, "PASS ", u->password, (char *)0) == -1 || store_read(s, e) == -1) return STORE_TEMPFAIL;
  return judge(&d);
}
