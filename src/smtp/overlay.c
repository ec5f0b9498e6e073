/* overlay: see overlay.h. */
#include "smtp/overlay.h"

#include <string.h>

#include "base/log.h"
#include "mail/envrules.h"

/* What rules cannot change: it has been acted upon when they come, or says who the client is. */
static const char *const fixed[] = {"RELAYCLIENT", "SMTPS", "STARTTLS", "FROMRULES", "ENVRULES", "AUTHRULES", "RCPTRULES", "AUTHINFO", "PROTO"};

static int is_fixed(const char *var) {
  size_t n = strcspn(var, "=");

  if (!strncmp(var, "TCP", 3)) return 1;
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; ++i)
    if (strlen(fixed[i]) == n && !memcmp(fixed[i], var, n)) return 1;
  return 0;
}

/* A rule's variables onto the transaction's own: how many lines matched, -1 without memory. */
static int apply(struct session *s, enum setting rules, const char *key, size_t n, struct env *env) {
  int lines = envrules_apply(conf_lines(s->conf, rules), key, n, env);

  if (lines > 0)
    LOG(2, session_prefix(&s->c), smtp_envrules, log_s(s->c.ip), log_u(s->c.number), log_s(conf_rows[rules].file), log_u((uint64_t)lines),
        log_s(n ? key : "<>"));
  return lines;
}

/* The lines for whoever logged in, and for all who may relay those of <>. */
static int apply_auth(struct session *s, struct env *env) {
  int all = session_may_relay(&s->c) ? apply(s, SET_authrules, "", 0, env) : 0;
  int one = all == -1 || !s->c.authenticated ? 0 : apply(s, SET_authrules, stralloc_cstr(&s->c.user), s->c.user.len, env);

  return all == -1 || one == -1 ? -1 : all + one;
}

static int put_back(const struct session *s, struct env *env, const char *var) {
  char name[64];
  size_t n = strcspn(var, "=");
  const char *value;

  if (n >= sizeof name) return 1;
  memcpy(name, var, n);
  name[n] = 0;
  value = env_lookup(s->env, name);
  if (value) return env_set(env, name, value);
  return env_unset(env, name) || !env->inherit;
}

/* What is fixed is as it was, whatever the rules said. */
static int put_back_fixed(const struct session *s, struct env *env) {
  for (size_t i = env->vars.len; i > 0; --i)
    if (is_fixed(env->vars.item[i - 1].s) && !put_back(s, env, env->vars.item[i - 1].s)) return 0;
  for (size_t i = 0; i < s->env->vars.len; ++i)
    if (is_fixed(s->env->vars.item[i].s) && !put_back(s, env, s->env->vars.item[i].s)) return 0;
  return 1;
}

static int refuse(const struct session *s, const char *why) {
  LOG(2, session_prefix(&s->c), smtp_lookup_failed, log_s(s->c.ip), log_u(s->c.number), log_s("envrules"), log_s(why));
  return 0;
}

static int refuse_sender(struct session *s, const char *why) {
  overlay_end(s);
  return refuse(s, why);
}

static int refuse_recipient(struct session *s, const char *why) {
  overlay_rcpt_end(s);
  return refuse(s, why);
}

static void use(struct session *s, const struct settings *settings) {
  s->conf = settings->conf;
  s->c.lists = settings->lists;
  s->c.content_rules = settings->content_rules;
  s->c.plugins = settings->plugins;
}

/* The variables of this transaction: how many lines matched, -1 without memory. */
static int make_env(struct session *s, struct env *env) {
  const stralloc *sender = &s->t.sender.address;
  int from, auth;

  if (!env_copy(env, s->env)) return -1;
  from = apply(s, SET_fromrules, stralloc_cstr(sender), sender->len, env);
  auth = from == -1 ? -1 : apply_auth(s, env);
  return auth == -1 || !put_back_fixed(s, env) ? -1 : from + auth;
}

int overlay_wants_sender(const struct session *s) {
  return s->settings && (conf_lines(s->conf, SET_fromrules)->len || (session_may_relay(&s->c) && conf_lines(s->conf, SET_authrules)->len));
}

int overlay_begin(struct session *s) {
  struct strerr e;
  int lines;

  if (!s->settings || (!conf_lines(s->conf, SET_fromrules)->len && !conf_lines(s->conf, SET_authrules)->len)) return 1;
  lines = make_env(s, &s->overlay_env);
  if (!lines) {
    env_free(&s->overlay_env);
    return 1;
  }
  s->base = (struct settings){s->conf, s->c.lists, s->c.content_rules, s->c.plugins, 0};
  if (lines == -1) return refuse_sender(s, "out of memory");
  if (settings_get(s->settings, &s->overlay_env, &s->overlay, &e) == -1) return refuse_sender(s, e.text);
  use(s, &s->overlay);
  return 1;
}

static int make_rcpt_env(struct session *s, struct env *env) {
  const stralloc *to = &s->t.recipient.address;
  int lines = env_copy(env, overlay_env(s)) ? apply(s, SET_rcptrules, stralloc_cstr(to), to->len, env) : -1;

  return lines == -1 || !put_back_fixed(s, env) ? -1 : lines;
}

int overlay_rcpt_begin(struct session *s) {
  struct strerr e;
  int lines;

  if (!s->settings || !conf_lines(s->conf, SET_rcptrules)->len) return 1;
  lines = make_rcpt_env(s, &s->rcpt_env);
  if (!lines) {
    env_free(&s->rcpt_env);
    return 1;
  }
  s->rcpt_base = (struct settings){s->conf, s->c.lists, s->c.content_rules, s->c.plugins, 0};
  if (lines == -1) return refuse_recipient(s, "out of memory");
  if (settings_get(s->settings, &s->rcpt_env, &s->rcpt_overlay, &e) == -1) return refuse_recipient(s, e.text);
  use(s, &s->rcpt_overlay);
  return 1;
}

void overlay_rcpt_end(struct session *s) {
  if (!s->rcpt_base.conf) return;
  use(s, &s->rcpt_base);
  memset(&s->rcpt_base, 0, sizeof s->rcpt_base);
  settings_put(s->settings, &s->rcpt_overlay);
  env_free(&s->rcpt_env);
}

void overlay_end(struct session *s) {
  if (!s->base.conf) return;
  use(s, &s->base);
  memset(&s->base, 0, sizeof s->base);
  settings_put(s->settings, &s->overlay);
  env_free(&s->overlay_env);
}

const struct env *overlay_env(const struct session *s) {
  return s->overlay.conf ? &s->overlay_env : s->env;
}
