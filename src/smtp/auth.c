/* auth: see auth.h. */
#include "smtp/auth.h"

#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/log.h"
#include "smtp/reply.h"
#include "smtp/verbs.h"


#define CLEAR 1
#define HIDDEN 0
#define PROGRAM AUTH_BY_PROGRAM
#define TOKEN AUTH_BY_TOKEN
#define INLOOKUP AUTH_BY_INLOOKUP
#define BINDING AUTH_BY_BINDING
#define USUALLY 0
#define ON_DEMAND 1
static const struct auth_mechanism mechanisms[] = {
#define MECHANISM(name, method, handler, shows, judge, offer, setting, meaning) \
  {name, method, handler, shows, judge, offer, SET_##setting},
#include "smtp/verbs.def"
};
#define MECHANISMS (sizeof mechanisms / sizeof *mechanisms)

/* --- what is offered */

const struct auth_mechanism *auth_find(const char *name, size_t n) {
  for (size_t i = 0; i < MECHANISMS; ++i)
    if (strlen(mechanisms[i].name) == n && bytes_caseequal(mechanisms[i].name, name, n)) return &mechanisms[i];
  return 0;
}

/* The next of several names, at *s: its length, 0 at the end. */
static size_t next_name(const char **s) {
  *s += strspn(*s, " \t,");
  return strcspn(*s, " \t,");
}

static int asked_for(const struct conf *conf, const struct auth_mechanism *m) {
  const char *s = conf_line(conf, SET_authmechanisms);

  for (size_t n; (n = next_name(&s)) > 0; s += n)
    if (auth_find(s, n) == m) return 1;
  return 0;
}

int auth_settings_ok(const struct conf *conf, struct strerr *e) {
  const char *s = conf_line(conf, SET_authmechanisms);

  for (size_t n; (n = next_name(&s)) > 0; s += n)
    if (!auth_find(s, n)) return strerr_set(e, "control/authmechanisms: no mechanism of AUTH: ", s, (char *)0);
  return 0;
}

static int is_program(const char *path, const char *name) {
  const char *slash = strrchr(path, '/');

  return !strcmp(slash ? slash + 1 : path, name);
}

/* Does the command line ask inlookup, and nobody else?  Then it can be asked without the
 * program, in ways in which the program cannot. */
static int only_inlookup(char *const *auth) {
  if (!is_program(auth[1], "vchkpass")) return 0;
  for (auth += 2; *auth; ++auth)
    if (!is_program(*auth, "false") && !is_program(*auth, "true")) return 0;
  return 1;
}

static int judge_there(const struct session *s, enum auth_judge judge) {
  switch (judge) {
    case AUTH_BY_PROGRAM: return 1;
    case AUTH_BY_TOKEN: return *conf_line(s->conf, SET_oauthprogram) != 0;
    case AUTH_BY_INLOOKUP: return s->c.lookup && only_inlookup(s->auth);
    case AUTH_BY_BINDING:
      return s->c.lookup && only_inlookup(s->auth) && (!s->c.tls || s->c.tls_info.bindings.len > 0);
  }
  return 0;
}

enum auth_offer auth_offered(const struct session *s, const struct auth_mechanism *m) {
  if (!s->auth || conf_flag(s->conf, m->disabled) || (m->on_demand && !asked_for(s->conf, m)) || !judge_there(s, m->judge))
    return AUTH_NOT_OFFERED;
  if (s->c.tls) return AUTH_OFFERED;
  if (m->judge == AUTH_BY_BINDING || conf_flag(s->conf, SET_force_tls)) return AUTH_WANTS_TLS;
  if (!conf_flag(s->conf, SET_secureauth)) return AUTH_OFFERED;
  /* A password that is hidden can still be guessed at by who listens: not where there is TLS to be had. */
  return m->clear || ehlo_starttls(s, 0) ? AUTH_WANTS_TLS : AUTH_OFFERED;
}

int auth_list(const struct session *s, stralloc *out) {
  int n = 0;

  for (size_t i = 0; i < MECHANISMS; ++i) {
    if (auth_offered(s, &mechanisms[i]) != AUTH_OFFERED) continue;
    if (!stralloc_catm(out, " ", mechanisms[i].name, (char *)0)) return -1;
    ++n;
  }
  return n;
}

int auth_offers_binding(const struct session *s) {
  for (size_t i = 0; i < MECHANISMS; ++i)
    if (mechanisms[i].judge == AUTH_BY_BINDING && auth_offered(s, &mechanisms[i]) == AUTH_OFFERED) return 1;
  return 0;
}

/* --- steps of an exchange */

/* It held a secret, or most of one: nothing of it is kept, or logged. */
static void forget_line(struct session *s) {
  stralloc_wipe(&s->line);
  stralloc_cut(&s->line, 0);
}

static enum sasl_verdict refuse(struct session *s, unsigned code, const char *enhanced, const char *text) {
  forget_line(s);
  reply_refuse(s, code, enhanced, text);
  return SASL_ENDED;
}

enum sasl_verdict auth_decode(struct session *s, const char *text, size_t n, stralloc *out) {
  switch (sasl_decode(text, n, out)) {
    case 1: return SASL_YES;
    case 0: return refuse(s, 501, "5.5.2", "that is not base64");
    default: reply_close(s, "4.3.0", "out of memory"); return SASL_ENDED;
  }
}

static enum sasl_verdict read_answer(struct session *s, stralloc *answer) {
  switch (session_line(s, SESSION_AUTH_LINE)) {
    case LINE_READ:
      if (!stralloc_equals(&s->line, "*")) return auth_decode(s, stralloc_cstr(&s->line), s->line.len, answer);
      return refuse(s, 501, "5.7.0", "authentication given up");
    case LINE_TOO_LONG: return refuse(s, 500, "5.5.6", "line too long");
    case LINE_BAD: return refuse(s, 500, "5.5.2", "a line ends with CR LF, and has neither elsewhere");
    case LINE_LOST: break;
  }
  return SASL_ENDED;
}

enum sasl_verdict auth_ask(struct auth *a, const char *challenge, size_t n, stralloc *answer) {
  struct session *s = a->s;
  stralloc text = STRALLOC_INIT;
  enum sasl_verdict v = SASL_ENDED;

  session_deadline(s);
  if (base64_encode(&text, challenge, n)) {
    reply(s, 334, 0, stralloc_cstr(&text));
    v = read_answer(s, answer);
  } else {
    v = auth_nomem(a);
  }
  forget_line(s);
  stralloc_free(&text);
  return v;
}

enum sasl_verdict auth_malformed(struct auth *a, const char *what) {
  return refuse(a->s, 501, "5.5.2", what);
}

enum sasl_verdict auth_nomem(struct auth *a) {
  reply_close(a->s, "4.3.0", "out of memory");
  return SASL_ENDED;
}

enum sasl_verdict auth_suspect(struct auth *a, const char *why) {
  const struct connection *c = &a->s->c;

  LOG(2, session_prefix(c), smtp_auth_suspect, log_s(c->ip), log_u(c->number), log_s(a->m->name), log_s(stralloc_cstr(&a->sasl.user)),
      log_s(why));
  return SASL_NO;
}

enum sasl_verdict auth_check(struct auth *a, stralloc *answer) {
  const struct sasl_question q = {a->s->auth + 1, SASL_PROGRAM_MAX, a->m->method, a->s->env, answer};
  enum sasl_verdict v = sasl_program(&a->sasl, &q);

  session_deadline(a->s);
  return v;
}

/* --- an exchange carried over SMTP */

static enum sasl_verdict carry_ask(struct sasl *x, const char *challenge, size_t n, stralloc *answer) {
  return auth_ask(x->context, challenge, n, answer);
}

static enum sasl_verdict carry_malformed(struct sasl *x, const char *what) {
  return auth_malformed(x->context, what);
}

static enum sasl_verdict carry_nomem(struct sasl *x) {
  return auth_nomem(x->context);
}

static enum sasl_verdict carry_suspect(struct sasl *x, const char *why) {
  return auth_suspect(x->context, why);
}

static const struct sasl_carrier carrier = {carry_ask, carry_malformed, carry_nomem, carry_suspect};

void auth_begin(struct auth *a, struct session *s, const struct auth_mechanism *m, const stralloc *initial) {
  *a = (struct auth){.s = s, .m = m};
  a->sasl = (struct sasl){
      .carrier = &carrier,
      .context = a,
      .service = "smtp",
      .ip = s->c.ip,
      .initial = initial,
      .tls = s->c.tls ? &s->c.tls_info : 0,
      .binding_offered = auth_offers_binding(s),
      .lookup_seconds = (int)conf_number(s->conf, SET_timeoutread),
      .lookup = s->c.lookup,
  };
}

/* --- mechanisms whose exchange is in user */

/* One whose password is then judged by the program. */
static enum sasl_verdict check_after(struct auth *a, enum sasl_verdict (*exchange)(struct sasl *)) {
  enum sasl_verdict v = exchange(&a->sasl);

  return v == SASL_YES ? auth_check(a, 0) : v;
}

enum sasl_verdict auth_plain(struct auth *a) {
  return check_after(a, sasl_plain);
}

enum sasl_verdict auth_login(struct auth *a) {
  return check_after(a, sasl_login);
}

enum sasl_verdict auth_scram(struct auth *a) {
  struct lookup_account account = {.inactive = 0};
  enum sasl_verdict v;

  a->sasl.account = &account;
  v = sasl_scram(&a->sasl, a->m->name);
  lookup_account_free(&account);
  return v;
}

static enum sasl_verdict judge_token(struct sasl *x) {
  struct auth *a = x->context;
  const struct sasl_question q = {0, SASL_TOKEN_MAX, a->m->method, a->s->env, 0};
  enum sasl_verdict v = sasl_program_command(x, "control/oauthprogram", conf_line(a->s->conf, SET_oauthprogram), &q);

  session_deadline(a->s);
  return v;
}

enum sasl_verdict auth_oauthbearer(struct auth *a) {
  return sasl_oauthbearer(&a->sasl, judge_token, conf_line(a->s->conf, SET_xoauth2_scope));
}

enum sasl_verdict auth_xoauth2(struct auth *a) {
  return sasl_xoauth2(&a->sasl, judge_token, conf_line(a->s->conf, SET_xoauth2_scope));
}
