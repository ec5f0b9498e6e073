/* verb_auth: AUTH (RFC 4954).  Offered inside TLS only: every mechanism here shows
 * the password to whoever listens. */
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "smtp/auth.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"

#define FAILURES_MAX 5
#define PROGRAM_SECONDS 120
#define PREFIX "qmail-smtpd: "

static const struct mechanism {
  const char *name;
  unsigned char method;
  auth_exchange exchange;
} mechanisms[] = {
#define MECHANISM(name, method, handler, meaning) {name, method, handler},
#include "smtp/verbs.def"
};
#define MECHANISMS (sizeof mechanisms / sizeof *mechanisms)

int ehlo_auth(const struct session *s, stralloc *more) {
  if (!s->auth || !s->c.tls || s->c.authenticated) return 0;
  for (size_t i = 0; i < MECHANISMS; ++i)
    if (!stralloc_catm(more, " ", mechanisms[i].name, (char *)0)) return 0;
  return 1;
}

static const struct mechanism *find(const char *name, size_t n) {
  for (size_t i = 0; i < MECHANISMS; ++i)
    if (strlen(mechanisms[i].name) == n && bytes_caseequal(mechanisms[i].name, name, n)) return &mechanisms[i];
  return 0;
}

static void accepted(struct session *s, const struct mechanism *m, struct credentials *c, int may_relay) {
  if (!stralloc_copy(&s->c.user, &c->user)) {
    reply_close(s, "4.3.0", "out of memory");
    return;
  }
  s->c.authenticated = 1;
  s->c.auth_may_relay = may_relay;
  LOG(2, PREFIX, smtp_auth, log_s(s->c.ip), log_u(s->c.number), log_s(m->name), log_s(s->c.user.s));
  reply(s, 235, "2.7.0", "welcome");
}

static void refused(struct session *s, const struct mechanism *m, const struct credentials *c) {
  LOG(2, PREFIX, smtp_auth_failed, log_s(s->c.ip), log_u(s->c.number), log_s(m->name),
      log_s(stralloc_cstr(&c->user)));
  session_pause(s, conf_number(s->conf, SET_penalty));
  reply(s, 535, "5.7.8", "name or password wrong");
  if (++s->c.auth_failures >= FAILURES_MAX) reply_close(s, "4.7.0", "too many failed logins, goodbye");
}

static void ask_program(struct session *s, const struct mechanism *m, struct credentials *c) {
  struct strerr e;
  enum auth_verdict v = auth_program(s, m->method, c, deadline_in(PROGRAM_SECONDS), &e);

  session_deadline(s);
  switch (v) {
    case AUTH_YES: accepted(s, m, c, 1); return;
    case AUTH_YES_NO_RELAY: accepted(s, m, c, 0); return;
    case AUTH_NO: refused(s, m, c); return;
    case AUTH_TEMPFAIL:
      LOG(2, PREFIX, warning, log_s(e.text));
      reply(s, 454, "4.7.0", "unable to check passwords now, please try again later");
      return;
  }
}

/* The exchange with the initial response, if there is one, and the verdict. */
static void run(struct session *s, const struct mechanism *m, const char *text, size_t n) {
  struct credentials c = {STRALLOC_INIT, STRALLOC_INIT, STRALLOC_INIT};
  stralloc initial = STRALLOC_INIT;
  enum auth_got got = n ? auth_decode(s, text, n, &initial) : AUTH_GOT;

  if (got == AUTH_GOT) got = m->exchange(s, n ? &initial : 0, &c);
  if (got == AUTH_GOT) ask_program(s, m, &c);
  credentials_free(&c);
  stralloc_wipe(&initial);
  stralloc_free(&initial);
}

void verb_auth(struct session *s, const char *arg, size_t n) {
  size_t name = bytes_chr(arg, n, ' '), skip = name;
  const struct mechanism *m = find(arg, name);
  stralloc initial = STRALLOC_INIT;
  int copied;

  while (skip < n && arg[skip] == ' ') ++skip;
  copied = stralloc_copyb(&initial, arg + skip, n - skip);
  /* Neither the log nor what is left of the line keeps the secret. */
  explicit_bzero(s->line.s + (arg - s->line.s) + name, n - name);
  stralloc_cut(&s->line, (size_t)(arg - s->line.s) + name);
  if (!s->auth) reply_refuse(s, 503, "5.3.3", "AUTH is not offered here");
  else if (!n) reply_refuse(s, 501, "5.5.4", "AUTH wants a mechanism");
  else if (s->c.authenticated) reply_refuse(s, 503, "5.5.1", "you have logged in already");
  else if (!m) reply_refuse(s, 504, "5.5.4", "mechanism not known");
  else if (!s->c.tls) reply_refuse(s, 538, "5.7.11", "say STARTTLS first: passwords are taken encrypted only");
  else if (!copied) reply_close(s, "4.3.0", "out of memory");
  else run(s, m, initial.s, initial.len);
  stralloc_wipe(&initial);
  stralloc_free(&initial);
}
