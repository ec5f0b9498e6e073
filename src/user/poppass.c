/* poppass: see poppass.h. */
#include "user/poppass.h"

#include <string.h>

#include "base/bytes.h"
#include "base/env.h"
#include "user/checker.h"

#define CHECK_SECONDS 60
#define SERVICE "passwd" /* what the password is checked for (user/lookup_answer.c) */

enum next { STAY, END };

struct session {
  struct login *l;
  const struct poppass *p;
  char *arg;     /* of the command under way, "" if none */
  int has_user;  /* user was given */
  int is_right;  /* and pass was */
  int no_memory; /* ended so */
};

static enum next say(struct session *s, const char *text) {
  return login_says(s->l, text) == 0 && login_says(s->l, "\r\n") == 0 ? STAY : END;
}

static enum next fault(struct session *s, const char *text) {
  if (++s->l->faults <= LOGIN_FAULTS_MAX) return say(s, text);
  say(s, "500 Too many bad commands.");
  return END;
}

static enum next no_memory(struct session *s) {
  s->no_memory = 1;
  say(s, "400 Out of memory, try again later.");
  return END;
}

static void forget(struct session *s) {
  s->has_user = s->is_right = 0;
  stralloc_wipe(&s->l->user);
  stralloc_wipe(&s->l->password);
}

static void log_change(const struct session *s) {
  const struct log_arg arg[] = {log_s(stralloc_cstr(&s->l->user)), log_s(s->l->remote.s), log_s(s->l->tls ? "yes" : "no")};

  login_log(s->l, LOG_password_changed, arg, sizeof arg / sizeof *arg);
}

/* Environment of the programs we ask: ours, and what the password is for. */
static int fill(struct env *env) {
  if (!env_import(env) || !env_set(env, "AUTHSERVICE", SERVICE)) return 0;
  return env_unset(env, "NATIVE_CHECKPASSWORD") && env_unset(env, "DOVECOT_VERSION");
}

/* The exit code of a program that is told user, password and a third field; what went wrong is in the log. */
static int ask(struct session *s, char *const *argv, const char *third, stralloc *answer) {
  const char *const field[] = {stralloc_cstr(&s->l->user), stralloc_cstr(&s->l->password), third};
  struct checker_question q = {.argv = argv, .answer = answer, .when = deadline_min(s->l->session, deadline_in(CHECK_SECONDS))};
  struct env env = {0};
  struct strerr e = {.permanent = 0};
  int code = -1;

  (void)!login_flush(s->l); /* a client that is gone is noticed at the next read */
  if (!fill(&env) || !(q.envp = env_vector(&env))) strerr_set(&e, "out of memory", (char *)0);
  else code = checker_ask(&q, field, sizeof field / sizeof *field, &e);
  if (code == -1 && e.permanent) code = CHECKER_REFUSED;
  else if (code == -1) login_trouble(s->l, &e);
  env_free(&env);
  return code;
}

static enum next wrong(struct session *s) {
  enum login_verdict v = login_reject(s->l, stralloc_cstr(&s->l->user), "");
  enum next n = say(s, "500 Wrong user or password.");

  forget(s);
  return v == LOGIN_TOO_MANY ? END : n;
}

static enum next do_user(struct session *s) {
  forget(s);
  if (!login_may_plaintext(s->l)) return say(s, "500 No password without TLS.");
  if (!*s->arg) return fault(s, "500 A name is wanted.");
  if (!stralloc_copys(&s->l->user, s->arg)) return no_memory(s);
  s->has_user = 1;
  return say(s, "200 Your password please.");
}

/* The rest of the line is the password, blanks included. */
static enum next do_pass(struct session *s) {
  int code;

  if (!s->has_user || s->is_right) return fault(s, "500 Say user first.");
  if (!*s->arg) return wrong(s);
  if (!stralloc_copys(&s->l->password, s->arg)) return no_memory(s);
  code = ask(s, s->p->check, "", 0);
  if (code == CHECKER_REFUSED) return wrong(s);
  if (code != 0 && code != CHECKER_NO_RELAY) {
    forget(s);
    return say(s, "400 Unable to check the password now, try again later.");
  }
  s->is_right = 1;
  return say(s, "200 Your new password please.");
}

/* What the program says about it may stand in a reply. */
static enum next refused(struct session *s, stralloc *why) {
  stralloc_cut(why, bytes_chr(stralloc_cstr(why), why->len, '\n'));
  for (size_t i = 0; i < why->len; ++i)
    if ((unsigned char)why->s[i] < 32 || why->s[i] == 127) why->s[i] = '?';
  if (!why->len) return say(s, "500 The password stays as it was.");
  return login_says(s->l, "500 Not changed: ") == 0 ? say(s, stralloc_cstr(why)) : END;
}

static enum next do_newpass(struct session *s) {
  stralloc why = STRALLOC_INIT;
  enum next n;
  int code;

  if (!s->is_right) return fault(s, "500 Say user and pass first.");
  if (!*s->arg) return fault(s, "500 A password is wanted.");
  code = ask(s, s->p->change, s->arg, &why);
  if (code == 0) log_change(s);
  if (code == 0) n = say(s, "200 Password changed, thank-you.");
  else if (code == CHECKER_REFUSED) n = refused(s, &why);
  else n = say(s, "400 Unable to change the password now, try again later.");
  stralloc_free(&why);
  if (code == 0) forget(s);
  return n;
}

static enum next do_stls(struct session *s) {
  struct strerr e;

  if (!login_may_tls(s->l)) return say(s, s->l->tls ? "500 TLS is active already." : "500 TLS is not offered here.");
  if (say(s, "200 Begin TLS negotiation now.") == END) return END;
  if (login_tls(s->l, &e) == -1) {
    login_trouble(s->l, &e);
    return END;
  }
  forget(s); /* what was said before TLS */
  return STAY;
}

static enum next do_noop(struct session *s) {
  return say(s, "200 Fine.");
}

static enum next do_quit(struct session *s) {
  say(s, "200 Bye.");
  return END;
}

static const struct {
  const char *name;
  enum next (*run)(struct session *);
} commands[] = {
    {"user", do_user}, {"pass", do_pass}, {"newpass", do_newpass}, {"stls", do_stls}, {"noop", do_noop}, {"quit", do_quit},
};

/* Control characters never belong to a name or a password, and would garble logs and records. */
static int is_sane(const stralloc *line) {
  for (size_t i = 0; i < line->len; ++i)
    if ((unsigned char)line->s[i] < 32 || line->s[i] == 127) return 0;
  return line->len > 0;
}

static enum next command(struct session *s) {
  stralloc *line = &s->l->line;
  size_t n;

  switch (login_read_line(s->l)) {
    case LOGIN_READ_OK: break;
    case LOGIN_READ_LONG: return fault(s, "500 The line is too long.");
    case LOGIN_READ_END: return END;
  }
  if (!is_sane(line)) return fault(s, "500 Malformed command.");
  n = strcspn(line->s, " ");
  s->arg = line->s + n + (line->s[n] == ' ');
  line->s[n] = 0;
  for (size_t i = 0; i < sizeof commands / sizeof *commands; ++i)
    if (str_caseequal(line->s, commands[i].name)) return commands[i].run(s);
  return fault(s, "500 Unknown command.");
}

const struct login_protocol poppass_protocol = {
    .service = SERVICE,
    .implicit = SET_poppass_tls,
    .uses_tag = 0,
};

int poppass_serve(struct login *l, const struct poppass *p) {
  struct session s = {.l = l, .p = p};
  enum next n = END;

  if (login_says(l, "200 ") == 0 && login_says(l, p->host) == 0) n = say(&s, " hello, who are you?");
  while (n == STAY) n = command(&s);
  return s.no_memory;
}
