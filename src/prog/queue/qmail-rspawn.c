/* qmail-rspawn: run qmail-remote, one process per delivery. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/strerr.h"
#include "conf/paths.h"
#include "send/spawner.h"

struct remote {
  stralloc program;
  struct env env;
};

/* qmail-remote host sender recipient..., ended by a null. */
static void fill_argv(const struct remote *r, const struct spawn_command *c, const char *host, char **argv) {
  *argv++ = r->program.s;
  *argv++ = (char *)(uintptr_t)host;
  *argv++ = (char *)(uintptr_t)c->sender;
  for (size_t i = 0; i < c->n; ++i) *argv++ = (char *)(uintptr_t)c->recipient[i];
  *argv = 0;
}

static pid_t start(void *ctx, struct spawner_slot *slot, const struct spawn_command *c, int messfd, int outfd, char *result, stralloc *text) {
  struct remote *r = ctx;
  const char *at = strrchr(c->recipient[0], '@');
  char *argv[SPAWN_RECIPIENTS_MAX + 4];
  struct spawn s = {.path = r->program.s, .argv = argv};
  struct strerr e;
  pid_t pid;

  (void)slot;
  if (!at) {
    *result = 'D';
    (void)!stralloc_copylit(text, "This address has no host. (#5.1.2)\n");
    return -1;
  }
  fill_argv(r, c, at + 1, argv);
  env_unset(&r->env, "QQEH");
  if (*c->extra && !env_set(&r->env, "QQEH", c->extra)) return -1;
  s.envp = env_vector(&r->env);
  if (!s.envp) return -1;
  spawn_move(&s, messfd, 0);
  spawn_move(&s, outfd, 1);
  spawn_move(&s, 2, 2);
  pid = spawn_start(&s, &e);
  if (pid == -1) (void)!stralloc_catm(text, "Unable to run qmail-remote: ", e.text, ". (#4.3.0)\n", (char *)0);
  return pid;
}

/* The next of qmail-remote's reports: its letter, 0 at their end. */
static char next_report(const char **s, size_t *left, const char **said, size_t *n) {
  size_t len = bytes_chr(*s, *left, 0);
  char letter;

  if (len == *left || !len) return 0;
  letter = (*s)[0];
  *said = *s + 1;
  *n = len - 1;
  *s += len + 1;
  *left -= len + 1;
  return letter;
}

/* Folds qmail-remote's reports, one for each recipient (r h s, in their order; fewer when
 * it failed before) and one for the message (K Z D), into letter and text for the i-th. */
static int judge(void *ctx, int status, const stralloc *output, size_t i, char *result, stralloc *text) {
  const char *s = output->s;
  const char *said;
  size_t left = output->len;
  size_t n;
  size_t seen = 0;
  char own = 0;
  char letter;

  (void)ctx;
  *result = 'Z';
  if (WIFSIGNALED(status)) return stralloc_copylit(text, "qmail-remote crashed. (#4.3.0)\n") ? 0 : -1;
  if (WEXITSTATUS(status) == 111) return stralloc_copylit(text, "Unable to run qmail-remote. (#4.3.0)\n") ? 0 : -1;
  if (WEXITSTATUS(status) != 0) {
    *result = 'D';
    return stralloc_copylit(text, "Unable to run qmail-remote. (#5.3.5)\n") ? 0 : -1;
  }
  if (!left) return stralloc_copylit(text, "qmail-remote produced no output. (#4.3.0)\n") ? 0 : -1;
  while ((letter = next_report(&s, &left, &said, &n)) != 0) {
    int recipient = strchr("rhs", letter) != 0;

    if (recipient && seen++ != i) continue;
    if (recipient) own = letter;
    else if (strchr("KZD", letter)) *result = letter;
    if (!stralloc_catb(text, said, n)) return -1;
  }
  if (own == 's') *result = 'Z';
  if (own == 'h') *result = 'D';
  return 0;
}

int main(int argc, char **argv) {
  struct remote r = {0};
  struct spawner s = {.name = "qmail-rspawn", .output_max = SPAWN_TEXT_MAX, .start = start, .judge = judge, .ctx = &r};
  const char *replacement = env_get("QMAILREMOTE");

  (void)argv;
  if (argc > 1) strerr_die_usage("qmail-rspawn (started by qmail-start)");
  if (!env_import(&r.env)) strerr_die_nomem("qmail-rspawn: fatal: ");
  env_unset(&r.env, "QMAILLOCAL");
  if (replacement && *replacement ? !stralloc_copys(&r.program, replacement) : !paths_program("qmail-remote", &r.program))
    strerr_die_nomem("qmail-rspawn: fatal: ");
  return spawner_run(&s);
}
