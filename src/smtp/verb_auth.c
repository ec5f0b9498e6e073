/* verb_auth: AUTH (RFC 4954): which mechanism, its exchange (auth_x.c), and what its verdict
 * comes to. */
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "smtp/auth.h"
#include "smtp/idn.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"

#define PAUSE_DOUBLINGS 8
#define IDN_SECONDS 10

int ehlo_auth(const struct session *s, stralloc *more) {
  return !s->c.authenticated && auth_list(s, more) > 0;
}

/* The name as senders are compared with it: the domain as envelopes have it (smtp/envelope.c).  1, 0 with
 * the reply made. */
static int take_name(struct session *s, const stralloc *name) {
  stralloc ascii = STRALLOC_INIT;
  size_t at = bytes_rchr(name->s, name->len, '@') + 1, n = at < name->len ? name->len - at : 0, i = 0;
  struct strerr e;
  int ok = stralloc_copy(&s->c.user, name);

  while (i < n && (unsigned char)name->s[at + i] < 128) ++i;
  if (ok && i < n) {
    switch (idn_ascii(name->s + at, n, &ascii, deadline_in(IDN_SECONDS), &e)) {
      case IDN_OK:
        stralloc_cut(&s->c.user, at);
        ok = stralloc_cat(&s->c.user, &ascii);
        break;
      case IDN_NO_NAME: break; /* whoever judged the login knows better */
      case IDN_TEMPFAIL:
        LOG(2, session_prefix(&s->c), smtp_lookup_failed, log_s(s->c.ip), log_u(s->c.number), log_s("auth"), log_s(e.text));
        reply(s, 454, "4.7.0", "unable to look at this name now, please try again later");
        stralloc_cut(&s->c.user, 0);
        stralloc_free(&ascii);
        return 0;
    }
  }
  stralloc_free(&ascii);
  if (!ok) reply_close(s, "4.3.0", "out of memory");
  return ok;
}

static void accepted(struct session *s, const struct auth *a, int may_relay) {
  if (!take_name(s, &a->sasl.user)) return;
  s->c.authenticated = 1;
  s->c.auth_may_relay = may_relay;
  stralloc_free(&s->c.tls_info.bindings); /* there is no second login */
  LOG(2, session_prefix(&s->c), smtp_auth, log_s(s->c.ip), log_u(s->c.number), log_s(a->m->name), log_s(s->c.user.s));
  reply(s, 235, "2.7.0", "welcome");
}

/* Each failure doubles the wait of the next. */
static void refused(struct session *s, const struct auth *a) {
  unsigned before = s->c.auth_failures < PAUSE_DOUBLINGS ? s->c.auth_failures : PAUSE_DOUBLINGS;

  LOG(2, session_prefix(&s->c), smtp_auth_failed, log_s(s->c.ip), log_u(s->c.number), log_s(a->m->name), log_s(stralloc_cstr(&a->sasl.user)));
  session_pause(s, conf_number(s->conf, SET_penalty) << before);
  session_deadline(s);
  reply(s, 535, "5.7.8", "name or password wrong");
  if (++s->c.auth_failures >= conf_number(s->conf, SET_maxauthtries))
    reply_close(s, "4.7.0", "too many failed logins, goodbye");
}

static void conclude(struct session *s, const struct auth *a, enum sasl_verdict v) {
  switch (v) {
    case SASL_YES: accepted(s, a, 1); return;
    case SASL_YES_NO_RELAY: accepted(s, a, 0); return;
    case SASL_NO: refused(s, a); return;
    case SASL_TEMPFAIL:
      LOG(2, session_prefix(&s->c), smtp_lookup_failed, log_s(s->c.ip), log_u(s->c.number), log_s("auth"), log_s(a->sasl.e.text));
      reply(s, 454, "4.7.0", "unable to check passwords now, please try again later");
      return;
    case SASL_ENDED: return;
  }
}

static void forget(stralloc *sa) {
  stralloc_wipe(sa);
  stralloc_free(sa);
}

/* The exchange with the initial response, if there is one, and the verdict. */
static void run(struct session *s, const struct auth_mechanism *m, const char *text, size_t n) {
  stralloc initial = STRALLOC_INIT;
  struct auth a;
  enum sasl_verdict v = n ? auth_decode(s, text, n, &initial) : SASL_YES;

  auth_begin(&a, s, m, n ? &initial : 0);
  if (v == SASL_YES) v = m->exchange(&a);
  conclude(s, &a, v);
  sasl_forget(&a.sasl);
  forget(&initial);
}

/* Why there can be no exchange: 1 if so, the reply is out. */
static int cannot(struct session *s, const struct auth_mechanism *m, size_t n) {
  enum auth_offer offer = m ? auth_offered(s, m) : AUTH_NOT_OFFERED;

  if (!s->auth) reply_refuse(s, 503, "5.3.3", "AUTH is not offered here");
  else if (!n) reply_refuse(s, 501, "5.5.4", "AUTH wants a mechanism");
  else if (s->c.authenticated) reply_refuse(s, 503, "5.5.1", "you have logged in already");
  else if (offer == AUTH_NOT_OFFERED) reply_refuse(s, 504, "5.5.4", "mechanism not known");
  else if (offer == AUTH_WANTS_TLS) reply_refuse(s, 538, "5.7.11", "say STARTTLS first: this login is taken encrypted only");
  else return 0;
  return 1;
}

void verb_auth(struct session *s, const char *arg, size_t n) {
  size_t name = bytes_chr(arg, n, ' '), skip = name;
  const struct auth_mechanism *m = auth_find(arg, name);
  stralloc initial = STRALLOC_INIT;
  int copied;

  while (skip < n && arg[skip] == ' ') ++skip;
  copied = stralloc_copyb(&initial, arg + skip, n - skip);
  /* Neither the log nor what is left of the line keeps the secret. */
  explicit_bzero(s->line.s + (arg - s->line.s) + name, n - name);
  stralloc_cut(&s->line, (size_t)(arg - s->line.s) + name);
  if (!copied) reply_close(s, "4.3.0", "out of memory");
  else if (!cannot(s, m, n)) run(s, m, initial.s, initial.len);
  /* An idle session keeps neither the room a token took nor a connection of inlookup's. */
  stralloc_free(&s->line);
  if (s->c.lookup) lookup_close(s->c.lookup);
  forget(&initial);
}
