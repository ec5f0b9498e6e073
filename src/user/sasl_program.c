/* sasl_program: programs that know passwords or tokens: see sasl.h. */
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "base/words.h"
#include "user/checker.h"
#include "user/sasl.h"

#define WORDS_MAX 32
#define ANSWER_FD 6
#define PROGRAM_SECONDS 120

/* What the program may need to find its way and to log who asked. */
static const char *const passed[] = {
    "PATH", "LANG", "TZ", "QMAILHOME", "QMAILBIN", "CONTROLDIR", "ASSIGNDIR", "DOMAINDIR", "INDIMAILRUN", "INFIFO",
    "DEFAULT_DOMAIN", "TCPREMOTEIP", "TCPREMOTEHOST", "TCPREMOTEPORT", "TCPLOCALIP", "TCPLOCALHOST", "TCPLOCALPORT",
};

static int fill_environment(const struct sasl *x, const struct env *from, struct env *env) {
  for (size_t i = 0; i < sizeof passed / sizeof *passed; ++i) {
    const char *v = env_lookup(from, passed[i]);

    if (v && !env_set(env, passed[i], v)) return 0;
  }
  return env_set(env, "AUTHSERVICE", x->service);
}

static int put(stralloc *text, const stralloc *field) {
  return stralloc_catz(text, stralloc_cstr(field), field->len);
}

static enum sasl_verdict verdict_of(struct sasl *x, const char *program, int code) {
  char text[32];

  if (code == -1) return SASL_TEMPFAIL;
  if (code == 0) return SASL_YES;
  if (code == 3) return SASL_YES_NO_RELAY;
  if (code == 1) return SASL_NO;
  snprintf(text, sizeof text, " ended with code %d", code);
  strerr_set(&x->e, program, text, (char *)0);
  return SASL_TEMPFAIL;
}

/* The program is told, and asked. */
static enum sasl_verdict run(struct sasl *x, const struct sasl_question *q) {
  stralloc text = STRALLOC_INIT;
  struct env env = {0};
  struct checker_question c = {.argv = q->argv, .text = &text, .answer = q->answer, .answer_fd = ANSWER_FD, .when = deadline_in(PROGRAM_SECONDS)};
  enum sasl_verdict v;

  if (put(&text, &x->user) && put(&text, &x->secret) && put(&text, &x->response) && stralloc_append(&text, (char)q->method) &&
      stralloc_append(&text, 0) && fill_environment(x, q->env, &env) && (c.envp = env_vector(&env)))
    v = verdict_of(x, q->argv[0], checker_run(&c, &x->e));
  else v = x->carrier->nomem(x);
  stralloc_wipe(&text);
  stralloc_free(&text);
  env_free(&env);
  return v;
}

enum sasl_verdict sasl_program(struct sasl *x, const struct sasl_question *q) {
  const stralloc *const fields[] = {&x->user, &x->secret, &x->response};
  size_t total = 2;

  /* What does not fit, or could end early, is nobody's. */
  for (size_t i = 0; i < sizeof fields / sizeof *fields; ++i) {
    if (fields[i]->len && memchr(fields[i]->s, 0, fields[i]->len)) return SASL_NO;
    total += fields[i]->len + 1;
  }
  if (total > q->max || !x->user.len) return SASL_NO;
  return run(x, q);
}

enum sasl_verdict sasl_program_command(struct sasl *x, const char *setting, const char *command, const struct sasl_question *q) {
  struct sasl_question asked = *q;
  stralloc copy = STRALLOC_INIT;
  char *words[WORDS_MAX + 1];
  enum sasl_verdict v = SASL_TEMPFAIL;

  asked.argv = words;
  if (!stralloc_copys(&copy, command)) v = x->carrier->nomem(x);
  else if (words_split(copy.s, words, WORDS_MAX)) v = sasl_program(x, &asked);
  else strerr_set(&x->e, setting, ": not a command: ", command, (char *)0);
  stralloc_free(&copy);
  return v;
}
