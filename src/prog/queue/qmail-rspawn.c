/* qmail-rspawn: hand each remote delivery to a resident qmail-remote, or run a process for it. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/strerr.h"
#include "conf/paths.h"
#include "queue/delivery_env.h"
#include "queue/tcpto.h"
#include "queue/worker_proto.h"
#include "send/spawner.h"
#include "send/worker_pool.h"

#define FATAL "qmail-rspawn: fatal: "
#define WORKERS_MAX SPAWN_LIMIT
#define WORKERS_SPARE 16

struct remote {
  stralloc program;
  struct env env;
  struct worker_pool pool;
  int use_pool; /* nobody has put a program in qmail-remote's place, or around it */
  stralloc job;
};

/* qmail-remote host sender recipient..., ended by a null. */
static void fill_argv(const struct remote *r, const struct spawn_command *c, const char *host, char **argv) {
  *argv++ = r->program.s;
  *argv++ = (char *)(uintptr_t)host;
  *argv++ = (char *)(uintptr_t)c->sender;
  for (size_t i = 0; i < c->n; ++i) *argv++ = (char *)(uintptr_t)c->recipient[i];
  *argv = 0;
}

/* DSN parameters of the recipients, a line for each; nothing where none has any. */
static int put_notify(struct env *env, const struct spawn_command *c) {
  stralloc lines = STRALLOC_INIT;
  int any = 0, ok = 1;

  for (size_t i = 0; ok && i < c->n; ++i) {
    any |= *c->notify[i] != 0;
    ok = stralloc_catm(&lines, c->notify[i], "\n", (char *)0);
  }
  ok = ok && env_unset(env, "DSN_RCPT") && (!any || env_set(env, "DSN_RCPT", lines.s));
  stralloc_free(&lines);
  return ok;
}

/* What qmail-remote is told beside its arguments. */
static int put_environment(struct env *env, const struct spawn_command *c) {
  return env_unset(env, "QQEH") && env_unset(env, "DSN_MAIL") && env_set(env, "MESSID", c->messid) &&
         (!*c->extra || env_set(env, "QQEH", c->extra)) && (!*c->dsn || env_set(env, "DSN_MAIL", c->dsn)) &&
         put_notify(env, c) && delivery_env_add(env, c->captured);
}

static pid_t run(struct remote *r, struct spawner_slot *slot, const struct spawn_command *c, const char *host, int messfd,
                 stralloc *text) {
  char *argv[SPAWN_RECIPIENTS_MAX + 4];
  struct spawn s = {.path = r->program.s, .argv = argv, .new_group = 1};
  int outfd = spawner_pipe(slot);
  struct env own = {0};
  struct strerr e;
  pid_t pid;

  fill_argv(r, c, host, argv);
  if (outfd == -1 || !env_copy(&own, &r->env) || !put_environment(&own, c) || !(s.envp = env_vector(&own))) {
    env_free(&own);
    (void)!stralloc_copylit(text, "Unable to start a delivery. (#4.3.0)\n");
    return -1;
  }
  spawn_move(&s, messfd, 0);
  spawn_move(&s, outfd, 1);
  spawn_move(&s, 2, 2);
  pid = spawn_start(&s, &e);
  env_free(&own);
  if (pid == -1) (void)!stralloc_catm(text, "Unable to run qmail-remote: ", e.text, ". (#4.3.0)\n", (char *)0);
  return pid;
}

/* The resident way: 1 when a worker has the job. */
static int hand_over(struct remote *r, struct spawner_slot *slot, const struct spawn_command *c, const char *host, int messfd) {
  struct worker_job job = {.uid = geteuid(), .gid = getegid(), .host = host, .text = &r->job, .fd = {messfd}, .fds = 1};
  const char *field[WORKER_REMOTE_FIELDS + 2 * SPAWN_RECIPIENTS_MAX] = {host, c->sender, c->extra, c->dsn};

  if (!r->use_pool) return 0;
  for (size_t i = 0; i < c->n; ++i) {
    field[WORKER_REMOTE_FIELDS + 2 * i] = c->recipient[i];
    field[WORKER_REMOTE_FIELDS + 2 * i + 1] = c->notify[i];
  }
  if (!worker_job_format(&r->job, field, WORKER_REMOTE_FIELDS + 2 * c->n) || r->job.len > WORKER_JOB_MAX) return 0;
  return worker_pool_run(&r->pool, slot, &job);
}

/* Where all recipients are: the part behind the last @, or null with result and text. */
static const char *common_host(const struct spawn_command *c, char *result, stralloc *text) {
  const char *at = strrchr(c->recipient[0], '@');

  *result = at ? 'Z' : 'D';
  for (size_t i = 1; at && i < c->n; ++i) {
    const char *other = strrchr(c->recipient[i], '@');

    if (other && str_caseequal(other, at)) continue;
    (void)!stralloc_copylit(text, "Recipients of one delivery have different hosts. (#4.3.0)\n");
    return 0;
  }
  if (!at) (void)!stralloc_copylit(text, "This address has no host. (#5.1.2)\n");
  return at ? at + 1 : 0;
}

static pid_t start(void *ctx, struct spawner_slot *slot, const struct spawn_command *c, int messfd, char *result,
                   stralloc *text) {
  struct remote *r = ctx;
  const char *host = common_host(c, result, text);

  if (!host) return -1;
  return !*c->captured && hand_over(r, slot, c, host, messfd) ? SPAWNER_ELSEWHERE : run(r, slot, c, host, messfd, text);
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

/* Whole reports, the last of them the message's; or nothing but a code that says why not. */
static int sane(unsigned char code, const stralloc *output) {
  const char *s = output->s;
  const char *said;
  size_t left = output->len;
  size_t n;
  char letter, last = 0;

  while ((letter = next_report(&s, &left, &said, &n)) != 0) {
    if (!strchr("rhsKZD", letter) || (last && strchr("KZD", last))) return 0;
    last = letter;
  }
  return code == 111 ? !output->len : !code && !left && last && strchr("KZD", last);
}

/* Folds qmail-remote's reports, one for each recipient (r h s, in their order; fewer when
 * it failed before) and one for the message (K Z D), into letter and text for the i-th. */
static int judge(void *ctx, int status, const stralloc *output, size_t i, size_t recipients, char *result, stralloc *text) {
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
  /* One of many of which nothing was said has got nothing. */
  if (!own && recipients > 1 && *result == 'K') *result = 'Z';
  return 0;
}

/* What an administrator can put in qmail-remote's place, or around it. */
static int something_plugged_in(void) {
  static const char *const names[] = {"QMAILREMOTE", "ONSUCCESS_REMOTE", "ONFAILURE_REMOTE", "ONTEMPORARY_REMOTE"};

  for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
    const char *s = env_get(names[i]);

    if (s && *s) return 1;
  }
  return 0;
}

static void ready(void *ctx, struct loop *loop) {
  struct remote *r = ctx;

  r->pool.loop = loop;
  tcpto_clear();
}

int main(int argc, char **argv) {
  struct remote r = {.pool = {.errors = 2, .max = WORKERS_MAX, .spare = WORKERS_SPARE, .sane = sane}};
  struct spawner s = {.name = "qmail-rspawn", .output_max = SPAWN_TEXT_MAX, .start = start, .judge = judge, .ready = ready, .ctx = &r};
  const char *replacement = env_get("QMAILREMOTE");
  char *worker_argv[3];

  (void)argv;
  if (argc > 1) strerr_die_usage("qmail-rspawn (started by qmail-start)");
  if (!env_import(&r.env)) strerr_die_nomem(FATAL);
  env_unset(&r.env, "QMAILLOCAL");
  if (replacement && *replacement ? !stralloc_copys(&r.program, replacement) : !paths_program("qmail-remote", &r.program))
    strerr_die_nomem(FATAL);
  r.use_pool = !something_plugged_in();
  worker_argv[0] = r.program.s;
  worker_argv[1] = (char *)(uintptr_t) "-W";
  worker_argv[2] = 0;
  r.pool.argv = worker_argv;
  return spawner_run(&s);
}
