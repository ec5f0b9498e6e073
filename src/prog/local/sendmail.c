/* sendmail: what scripts and programs call.  Turns sendmail's options into those of
 * qmail-inject, qmail-qread (mailq) or qmail-smtpd (-bs) and becomes that program. */
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/spawn.h"
#include "base/strerr.h"
#include "base/strlist.h"
#include "conf/paths.h"

#define FATAL "sendmail: fatal: "
#define ARGS 8192
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

static void become(const char *program, const struct strlist *args, struct env *env) {
  stralloc path = STRALLOC_INIT;
  char *argv[ARGS];
  struct spawn s = {.envp = env_vector(env)};
  struct strerr e;

  if (args->len + 2 > ARGS) strerr_diem(100, FATAL, "too many recipients", (char *)0);
  if (!s.envp || !paths_program(program, &path)) strerr_die_nomem(FATAL);
  argv[0] = path.s;
  for (size_t i = 0; i < args->len; ++i) argv[i + 1] = args->item[i].s;
  argv[args->len + 1] = 0;
  s.path = path.s;
  s.argv = argv;
  (void)!spawn_exec(&s, &e);
  strerr_die(111, FATAL, &e);
}

static void add(struct strlist *l, const char *s) {
  if (!strlist_add(l, s, strlen(s))) strerr_die_nomem(FATAL);
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

int main(int argc, char **argv) {
  const char *slash = strrchr(argv[0], '/');
  const char *zero = slash ? slash + 1 : argv[0];
  struct options o = {.mode = !strcmp(zero, "mailq") ? MODE_QUEUE : !strcmp(zero, "newaliases") ? MODE_ALIASES : MODE_MAIL};
  struct strlist args = {0};
  struct env env = {0};
  int i;

  for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; ++i) {
    if (!strcmp(argv[i], "--")) {
      ++i;
      break;
    }
    i = take(&o, argc, argv, i);
  }
  if (!env_import(&env)) strerr_die_nomem(FATAL);
  if (o.name && !env_set(&env, "QMAILNAME", o.name)) strerr_die_nomem(FATAL);
  switch (o.mode) {
    case MODE_SMTP: set_tcp(&env); become("qmail-smtpd", &args, &env); break;
    case MODE_QUEUE: become("qmail-qread", &args, &env); break;
    case MODE_ALIASES: become("newaliases", &args, &env); break;
    case MODE_REFUSED: strerr_diem(100, FATAL, "this mode of sendmail does not exist here", (char *)0);
    case MODE_MAIL: break;
  }
  add(&args, o.from_header ? "-H" : "-a");
  if (o.sender) {
    add(&args, "-f");
    add(&args, o.sender);
  }
  add(&args, "--");
  for (; i < argc; ++i) add(&args, argv[i]);
  become("qmail-inject", &args, &env);
}
