/* login_sasl: see login_sasl.h. */
#include "user/login_sasl.h"

#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/log.h"
#include "user/sasl.h"

#define VERIFY_SECONDS 20

/* One exchange under way. */
struct exchange {
  struct sasl sasl;
  struct login *l;
  const struct mechanism *m;
  const char *tag;
  struct env env;         /* for the program that judges tokens */
  enum login_verdict end; /* why it is over, where the exchange says no more than that */
};

/* What a mechanism needs besides TLS. */
enum needs {
  NEEDS_NOTHING, /* password and name, judged by whoever judges LOGIN */
  NEEDS_LOOKUP,  /* inlookup: no modules, no proxy */
  NEEDS_BINDING, /* and a connection that a login can be bound to */
  NEEDS_TOKENS,  /* control/oauthprogram, and inlookup */
};

struct mechanism {
  const char *name;
  enum sasl_verdict (*exchange)(struct exchange *x);
  enum login_verdict (*conclude)(struct exchange *x); /* after SASL_YES */
  enum needs needs;
  unsigned char method; /* for the program */
  enum setting disabled;
};

/* --- the carrier */

static enum sasl_verdict ended(struct exchange *x, enum login_verdict how) {
  x->end = how;
  return SASL_ENDED;
}

static enum sasl_verdict carry_malformed(struct sasl *sasl, const char *what) {
  (void)what;
  return ended(sasl->context, LOGIN_MALFORMED);
}

static enum sasl_verdict carry_nomem(struct sasl *sasl) {
  return ended(sasl->context, LOGIN_GONE);
}

static enum sasl_verdict carry_suspect(struct sasl *sasl, const char *why) {
  const struct exchange *x = sasl->context;
  const struct log_arg arg[] = {log_s(stralloc_cstr(&sasl->user)), log_s(sasl->ip), log_s(x->m->name), log_s(why)};

  login_log(x->l, LOG_login_suspect, arg, sizeof arg / sizeof *arg);
  return SASL_NO;
}

static enum sasl_verdict decode(struct exchange *x, const char *text, size_t n, stralloc *answer) {
  int r = sasl_decode(text, n, answer);

  return r == 1 ? SASL_YES : ended(x, r == 0 ? LOGIN_MALFORMED : LOGIN_GONE);
}

static enum sasl_verdict read_answer(struct exchange *x, stralloc *answer) {
  const stralloc *line = &x->l->line;

  switch (login_read_line(x->l)) {
    case LOGIN_READ_OK: break;
    case LOGIN_READ_LONG: return ended(x, LOGIN_MALFORMED);
    case LOGIN_READ_END: return ended(x, LOGIN_GONE);
  }
  if (stralloc_equals(line, "*")) return ended(x, LOGIN_CANCELLED);
  return decode(x, stralloc_cstr(line), line->len, answer);
}

static enum sasl_verdict carry_ask(struct sasl *sasl, const char *challenge, size_t n, stralloc *answer) {
  struct exchange *x = sasl->context;
  stralloc text = STRALLOC_INIT;
  int said = stralloc_copys(&text, "+ ") && base64_encode(&text, challenge, n) && stralloc_cats(&text, "\r\n") &&
             login_say(x->l, text.s, text.len) == 0;

  stralloc_free(&text);
  return said ? read_answer(x, answer) : ended(x, LOGIN_GONE);
}

static const struct sasl_carrier carrier = {carry_ask, carry_malformed, carry_nomem, carry_suspect};

/* --- the mechanisms */

static enum sasl_verdict do_plain(struct exchange *x) {
  return sasl_plain(&x->sasl);
}

static enum sasl_verdict do_login(struct exchange *x) {
  return sasl_login(&x->sasl);
}

/* As if the password had been said with LOGIN. */
static enum login_verdict try_password(struct exchange *x) {
  if (!stralloc_copy(&x->l->user, &x->sasl.user) || !stralloc_copy(&x->l->password, &x->sasl.secret)) return LOGIN_GONE;
  return login_try(x->l, x->tag);
}

static enum sasl_verdict do_scram(struct exchange *x) {
  return sasl_scram(&x->sasl, x->m->name);
}

static enum login_verdict take_account(struct exchange *x) {
  return login_accept(x->l, x->sasl.account, x->sasl.user.s, x->tag);
}

static enum sasl_verdict judge_token(struct sasl *sasl) {
  struct exchange *x = sasl->context;
  const struct sasl_question q = {0, SASL_TOKEN_MAX, x->m->method, &x->env, 0};

  if (!env_import(&x->env)) return carry_nomem(sasl);
  return sasl_program_command(sasl, "control/oauthprogram", conf_line(x->l->conf, SET_oauthprogram), &q);
}

static enum sasl_verdict do_oauthbearer(struct exchange *x) {
  return sasl_oauthbearer(&x->sasl, judge_token, conf_line(x->l->conf, SET_xoauth2_scope));
}

static enum sasl_verdict do_xoauth2(struct exchange *x) {
  return sasl_xoauth2(&x->sasl, judge_token, conf_line(x->l->conf, SET_xoauth2_scope));
}

/* The program knows whose token it is; whether that user may come in now inlookup knows. */
static enum login_verdict find_account(struct exchange *x) {
  struct login *l = x->l;

  switch (lookup_session(&l->lookup, x->sasl.user.s, l->protocol->service, l->remote.s, deadline_in(VERIFY_SECONDS),
                         x->sasl.account, &x->sasl.e)) {
    case LOOKUP_FOUND: return take_account(x);
    case LOOKUP_NONE: return login_reject(l, x->sasl.user.s, x->sasl.e.text);
    case LOOKUP_TEMPFAIL: login_trouble(l, &x->sasl.e); break;
  }
  return LOGIN_TEMPFAIL;
}

static const struct mechanism mechanisms[] = {
    {"SCRAM-SHA-512-PLUS", do_scram, take_account, NEEDS_BINDING, 0, SET_disable_scram_sha512_plus},
    {"SCRAM-SHA-256-PLUS", do_scram, take_account, NEEDS_BINDING, 0, SET_disable_scram_sha256_plus},
    {"SCRAM-SHA-1-PLUS", do_scram, take_account, NEEDS_BINDING, 0, SET_disable_scram_sha1_plus},
    {"SCRAM-SHA-512", do_scram, take_account, NEEDS_LOOKUP, 0, SET_disable_scram_sha512},
    {"SCRAM-SHA-256", do_scram, take_account, NEEDS_LOOKUP, 0, SET_disable_scram_sha256},
    {"SCRAM-SHA-1", do_scram, take_account, NEEDS_LOOKUP, 0, SET_disable_scram_sha1},
    {"OAUTHBEARER", do_oauthbearer, find_account, NEEDS_TOKENS, SASL_METHOD_OAUTHBEARER, SET_disable_auth_oauthbearer},
    {"XOAUTH2", do_xoauth2, find_account, NEEDS_TOKENS, SASL_METHOD_XOAUTH2, SET_disable_auth_oauth2},
    {"PLAIN", do_plain, try_password, NEEDS_NOTHING, 0, SET_disable_auth_plain},
    {"LOGIN", do_login, try_password, NEEDS_NOTHING, 0, SET_disable_auth_login},
};
#define MECHANISMS (sizeof mechanisms / sizeof *mechanisms)

static int has_what_it_needs(const struct login *l, enum needs needs) {
  switch (needs) {
    case NEEDS_NOTHING: return 1;
    case NEEDS_LOOKUP: return login_asks_lookup(l);
    case NEEDS_BINDING: return login_asks_lookup(l) && l->tls && l->tls_info.bindings.len > 0;
    case NEEDS_TOKENS: return login_asks_lookup(l) && *conf_line(l->conf, SET_oauthprogram);
  }
  return 0;
}

static int offered(const struct login *l, const struct mechanism *m) {
  return login_may_plaintext(l) && !conf_flag(l->conf, m->disabled) && has_what_it_needs(l, m->needs);
}

static int offers_binding(const struct login *l) {
  for (size_t i = 0; i < MECHANISMS; ++i)
    if (mechanisms[i].needs == NEEDS_BINDING && offered(l, &mechanisms[i])) return 1;
  return 0;
}

int login_sasl_list(const struct login *l, const char *before, stralloc *out) {
  for (size_t i = 0; i < MECHANISMS; ++i)
    if (offered(l, &mechanisms[i]) && !stralloc_catm(out, before, mechanisms[i].name, (char *)0)) return 0;
  return 1;
}

static const struct mechanism *find(const char *name) {
  for (size_t i = 0; i < MECHANISMS; ++i)
    if (str_caseequal(name, mechanisms[i].name)) return &mechanisms[i];
  return 0;
}

/* --- an exchange */

static enum login_verdict conclude(struct exchange *x, enum sasl_verdict v) {
  switch (v) {
    case SASL_YES:
    case SASL_YES_NO_RELAY: return x->m->conclude(x);
    case SASL_NO: return login_reject(x->l, stralloc_cstr(&x->sasl.user), x->sasl.e.text);
    case SASL_TEMPFAIL: login_trouble(x->l, &x->sasl.e); return LOGIN_TEMPFAIL;
    case SASL_ENDED: break;
  }
  return x->end;
}

static enum login_verdict run(struct exchange *x, const char *initial) {
  struct login *l = x->l;
  struct lookup_account account = {.inactive = 0};
  stralloc first = STRALLOC_INIT;
  enum sasl_verdict v = initial ? decode(x, initial, strlen(initial), &first) : SASL_YES;
  enum login_verdict verdict;

  x->sasl = (struct sasl){
      .carrier = &carrier,
      .context = x,
      .service = l->protocol->service,
      .ip = l->remote.s,
      .initial = initial ? &first : 0,
      .tls = l->tls ? &l->tls_info : 0,
      .binding_offered = offers_binding(l),
      .lookup_seconds = VERIFY_SECONDS,
      .lookup = &l->lookup,
      .account = &account,
  };
  if (v == SASL_YES) v = x->m->exchange(x);
  verdict = conclude(x, v);
  stralloc_wipe(&first);
  sasl_forget(&x->sasl);
  lookup_account_free(&account);
  env_free(&x->env);
  return verdict;
}

enum login_verdict login_sasl(struct login *l, const char *mechanism, const char *initial, const char *tag) {
  struct exchange x = {.l = l, .m = find(mechanism), .tag = tag};

  if (!x.m) return LOGIN_NO_MECHANISM;
  if (!login_may_plaintext(l)) return LOGIN_WANTS_TLS;
  return offered(l, x.m) ? run(&x, initial) : LOGIN_NO_MECHANISM;
}
