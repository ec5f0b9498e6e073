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

static pid_t start(void *ctx, struct spawner_slot *slot, const struct spawn_command *c, int messfd, int outfd, char *result, stralloc *text) {
  struct remote *r = ctx;
  const char *at = strrchr(c->recipient, '@');
  char *argv[5] = {r->program.s, 0, (char *)(uintptr_t)c->sender, (char *)(uintptr_t)c->recipient, 0};
  struct spawn s = {.path = r->program.s, .argv = argv};
  struct strerr e;
  pid_t pid;

  (void)slot;
  if (!at) {
    *result = 'D';
    (void)!stralloc_copylit(text, "This address has no host. (#5.1.2)\n");
    return -1;
  }
  argv[1] = (char *)(uintptr_t)(at + 1);
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

/* Folds qmail-remote's reports, one for the recipient (r h s) and one for the message
 * (K Z D), into one letter and text. */
static int judge(void *ctx, int status, const stralloc *output, char *result, stralloc *text) {
  const char *s = output->s;
  size_t left = output->len;
  char recipient = 0;

  (void)ctx;
  *result = 'Z';
  if (WIFSIGNALED(status)) return stralloc_copylit(text, "qmail-remote crashed. (#4.3.0)\n") ? 0 : -1;
  if (WEXITSTATUS(status) == 111) return stralloc_copylit(text, "Unable to run qmail-remote. (#4.3.0)\n") ? 0 : -1;
  if (WEXITSTATUS(status) != 0) {
    *result = 'D';
    return stralloc_copylit(text, "Unable to run qmail-remote. (#5.3.5)\n") ? 0 : -1;
  }
  if (!left) return stralloc_copylit(text, "qmail-remote produced no output. (#4.3.0)\n") ? 0 : -1;
  while (left) {
    size_t n = bytes_chr(s, left, 0);

    if (n == left || !n) break;
    if (strchr("rhs", s[0])) recipient = s[0];
    else if (strchr("KZD", s[0])) *result = s[0];
    if (!stralloc_catb(text, s + 1, n - 1)) return -1;
    s += n + 1;
    left -= n + 1;
  }
  if (recipient == 's') *result = 'Z';
  if (recipient == 'h') *result = 'D';
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
