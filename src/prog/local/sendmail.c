/* sendmail: what scripts and programs call.  Turns sendmail's options into those of
 * qmail-inject, whose work it does itself, or becomes qmail-qread (mailq) or qmail-smtpd (-bs). */
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/sigfd.h"
#include "base/spawn.h"
#include "base/strerr.h"
#include "base/strlist.h"
#include "conf/paths.h"
#include "local/inject.h"

#define FATAL "sendmail: fatal: "
#define USAGE "sendmail [-t] [-f sender] [-F name] [-i] [-bs] [-bp] [-o...] [recipient...]"

enum mode { MODE_MAIL, MODE_SMTP, MODE_QUEUE, MODE_ALIASES, MODE_REFUSED };

static const struct {
  char letter;
  enum mode mode;
} modes[] = {
    {'m', MODE_MAIL},    {'s', MODE_SMTP},    {'p', MODE_QUEUE},   {'i', MODE_ALIASES}, {'d', MODE_REFUSED},
    {'D', MODE_REFUSED}, {'t', MODE_REFUSED}, {'v', MODE_REFUSED}, {'h', MODE_REFUSED}, {'H', MODE_REFUSED},
};

struct options {
  enum mode mode;
  int from_header;
  const char *sender, *name;
};

static enum mode mode_of(char c) {
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; ++i)
    if (modes[i].letter == c) return modes[i].mode;
  strerr_die_usage(USAGE);
}

/* Options that take a value, attached or next; what they say does not concern us but
 * for f, r and F. */
#define WITH_VALUE "frFBNRVXLhpCdqOoAbe"
/* Those whose value is only ever attached. */
#define ATTACHED "bodeqp"

static int take(struct options *o, int argc, char **argv, int i) {
  const char *s = argv[i] + 1;

  for (; *s; ++s) {
    const char *value = s + 1;

    if (!strchr(WITH_VALUE, *s)) {
      if (*s == 't') o->from_header = 1;
      else if (!strchr("imvxUnsGJT", *s)) strerr_die_usage(USAGE);
      continue;
    }
    if (!*value && !strchr(ATTACHED, *s)) value = ++i < argc ? argv[i] : 0;
    if (!value) strerr_die_usage(USAGE);
    if (*s == 'f' || *s == 'r') o->sender = value;
    if (*s == 'F') o->name = value;
    if (*s == 'b') o->mode = mode_of(*value);
    return i;
  }
  return i;
}

/* An SMTP session on descriptors 0 and 1, as from this host. */
static void set_tcp(struct env *env) {
  static const char *const vars[][2] = {
      {"PROTO", "TCP"},         {"TCPLOCALIP", "127.0.0.1"},  {"TCPLOCALPORT", "25"}, {"TCPLOCALHOST", "localhost"},
      {"TCPREMOTEIP", "127.0.0.1"}, {"TCPREMOTEPORT", "0"}, {"TCPREMOTEHOST", "localhost"}, {"RELAYCLIENT", ""},
  };

  for (size_t i = 0; i < sizeof vars / sizeof vars[0]; ++i)
    if (!env_set(env, vars[i][0], vars[i][1])) strerr_die_nomem(FATAL);
}

static void __attribute__((noreturn)) become(const char *program, int as_server) {
  stralloc path = STRALLOC_INIT;
  char *argv[] = {0, 0};
  struct spawn s = {.argv = argv};
  struct env env = {0};
  struct strerr e;

  if (!env_import(&env) || !paths_program(program, &path)) strerr_die_nomem(FATAL);
  if (as_server) set_tcp(&env);
  s.path = argv[0] = path.s;
  s.envp = env_vector(&env);
  if (!s.envp) strerr_die_nomem(FATAL);
  (void)!spawn_exec(&s, &e);
  strerr_die(111, FATAL, &e);
}

/* What qmail-inject does, without another program to be started. */
static int queue_mail(const struct options *o, int n, char **recipients) {
  struct inject_job job = {.recipients = o->from_header ? INJECT_BOTH : INJECT_ARGUMENTS, .sender = o->sender};
  struct conf conf;
  struct strerr e;
  int code;

  for (int i = 0; i < n; ++i)
    if (!strlist_add(&job.arguments, recipients[i], strlen(recipients[i]))) strerr_die_nomem(FATAL);
  if (o->name && setenv("QMAILNAME", o->name, 1) == -1) strerr_die_nomem(FATAL);
  sig_ignore_pipe();
  if (conf_load(&conf, CONF_INJECT, &e) == -1) strerr_die(111, FATAL, &e);
  code = inject_run(&job, &conf, &e);
  if (code) strerr_die(code, FATAL, &e);
  return 0;
}

int main(int argc, char **argv) {
  const char *slash = strrchr(argv[0], '/');
  const char *zero = slash ? slash + 1 : argv[0];
  struct options o = {.mode = !strcmp(zero, "mailq") ? MODE_QUEUE : !strcmp(zero, "newaliases") ? MODE_ALIASES : MODE_MAIL};
  int i;

  for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; ++i) {
    if (!strcmp(argv[i], "--")) {
      ++i;
      break;
    }
    i = take(&o, argc, argv, i);
  }
  switch (o.mode) {
    case MODE_SMTP: become("qmail-smtpd", 1);
    case MODE_QUEUE: become("qmail-qread", 0);
    case MODE_ALIASES: become("newaliases", 0);
    case MODE_REFUSED: strerr_diem(100, FATAL, "this mode of sendmail does not exist here", (char *)0);
    case MODE_MAIL: break;
  }
  return queue_mail(&o, argc - i, argv + i);
}
