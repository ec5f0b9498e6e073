/* qmail-lspawn: find the account of each local delivery and run qmail-local under its
 * uid.  The one program of the delivery side that keeps root. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/scan.h"
#include "base/strerr.h"
#include "conf/accounts.h"
#include "conf/paths.h"
#include "queue/delivery_env.h"
#include "queue/worker_proto.h"
#include "send/spawner.h"
#include "send/worker_pool.h"
#include "user/assign.h"

#define FATAL "qmail-lspawn: fatal: "
#define GETPW_MAX 4096
#define OUTPUT_MAX 3000
#define WORKERS_MAX 64

struct local {
  const char *defaultdelivery;
  stralloc program, getpw, cdb;
  struct assign_file assign;
  struct account getpw_account;
  struct env env;
  struct worker_pool pool;
  int root;     /* we are, and can become the user */
  int use_pool; /* nobody has put a program in qmail-local's place */
  stralloc job;
};

/* What an exit code of qmail-local, or of the way to it, means. */
static const struct {
  int code;
  char result;
  const char *text;
} codes[] = {
    {0, 'K', ""},
    {111, 'Z', ""},
    {71, 'Z', ""},
    {74, 'Z', ""},
    {75, 'Z', ""},
    {115, 'Z', "The file system that holds the user's home is not available. (#4.3.0)\n"},
    {116, 'Z', "There is no account alias. (#4.3.5)\n"},
    {118, 'Z', "The password file is busy. (#4.3.0)\n"},
    {127, 'Z', "Unable to run qmail-local. (#4.3.0)\n"},
};

static int judge(void *ctx, int status, const stralloc *output, size_t recipient, size_t n, char *result, stralloc *text) {
  (void)ctx;
  (void)recipient;
  (void)n;
  *result = 'D';
  if (WIFSIGNALED(status)) {
    *result = 'Z';
    return stralloc_copylit(text, "qmail-local crashed. (#4.3.0)\n") ? 0 : -1;
  }
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; ++i)
    if (codes[i].code == WEXITSTATUS(status)) {
      *result = codes[i].result;
      if (!stralloc_cats(text, codes[i].text)) return -1;
    }
  return stralloc_catb(text, stralloc_cstr(output), bytes_chr(output->s, output->len, 0)) ? 0 : -1;
}

/* The six fields of qmail-getpw's answer. */
static int parse_getpw(struct assign_user *u) {
  const char *field[6];
  size_t pos = 0;
  uint32_t uid, gid;

  for (int i = 0; i < 6; ++i) {
    size_t n = bytes_chr(u->data.s + pos, u->data.len - pos, 0);

    if (pos + n == u->data.len) return 0;
    field[i] = u->data.s + pos;
    pos += n + 1;
  }
  if (!scan_u32(field[1], strlen(field[1]), &uid) || !scan_u32(field[2], strlen(field[2]), &gid)) return 0;
  u->user = field[0];
  u->uid = uid;
  u->gid = gid;
  u->home = field[3];
  u->dash = field[4];
  u->ext = field[5];
  return 1;
}

/* Ask qmail-getpw, as qmailp: 1 found; 0 with text and result filled. */
static int ask_getpw(struct local *l, const char *name, struct assign_user *u, char *result, stralloc *text) {
  char *argv[3] = {l->getpw.s, (char *)(uintptr_t)name, 0};
  struct spawn s = {.path = l->getpw.s, .argv = argv};
  stralloc none = STRALLOC_INIT;
  struct strerr e;
  pid_t pid;
  int p[2];
  int status;

  if (fd_pipe(p) == -1) return 0;
  accounts_apply(&l->getpw_account, &s);
  spawn_move(&s, p[1], 1);
  spawn_move(&s, 2, 2);
  pid = spawn_start(&s, &e);
  fd_close(p[1]);
  stralloc_cut(&u->data, 0);
  if (pid != -1) (void)!fd_slurp(p[0], &u->data, GETPW_MAX);
  fd_close(p[0]);
  status = pid == -1 ? -1 : spawn_wait(pid);
  if (status == 0 && parse_getpw(u)) return 1;
  if (status > 0 && !WIFSIGNALED(status) && WEXITSTATUS(status)) (void)!judge(l, status, &none, 0, 1, result, text);
  if (!text->len) (void)!stralloc_copylit(text, "Unable to run qmail-getpw. (#4.3.0)\n");
  *result = 'Z';
  return 0;
}

static void ready(void *ctx, struct loop *loop) {
  struct local *l = ctx;

  l->pool.loop = loop;
}

/* The resident way: 1 when a worker has the job. */
static int hand_over(struct local *l, struct spawner_slot *slot, const struct assign_user *u, const char *const field[],
                     int messfd) {
  struct worker_job job = {.uid = u->uid, .gid = u->gid, .host = "", .text = &l->job, .fd = {messfd}, .fds = 1};

  if (!l->use_pool) return 0;
  if (!worker_job_format(&l->job, field, WORKER_LOCAL_FIELDS) || l->job.len > WORKER_JOB_MAX) return 0;
  return worker_pool_run(&l->pool, slot, &job);
}

/* What the sender asked, where it did. */
static int set_asked(struct env *env, const struct spawn_command *c) {
  return (!*c->dsn || env_set(env, "DSNMAIL", c->dsn)) && (!*c->notify[0] || env_set(env, "DSNRCPT", c->notify[0]));
}

static pid_t run(struct local *l, struct spawner_slot *slot, const struct spawn_command *c, const struct assign_user *u,
                 const char *local, const char *host, int messfd, char *result, stralloc *text) {
  char *argv[] = {l->program.s, (char *)(uintptr_t) "--", (char *)(uintptr_t)u->user, (char *)(uintptr_t)u->home,
                  (char *)(uintptr_t)local, (char *)(uintptr_t)u->dash, (char *)(uintptr_t)u->ext,
                  (char *)(uintptr_t)host, (char *)(uintptr_t)c->sender, (char *)(uintptr_t)l->defaultdelivery,
                  (char *)(uintptr_t)c->extra, 0};
  struct spawn s = {.path = l->program.s, .argv = argv, .cwd = "/", .new_group = 1};
  struct strerr e;
  gid_t group = u->gid;
  struct env own = {0};
  const char *const field[WORKER_LOCAL_FIELDS] = {u->user, u->home, local, u->dash, u->ext, host, c->sender,
                                                  l->defaultdelivery, c->extra, c->messid, c->dsn, c->notify[0]};
  int ok, outfd;
  pid_t pid;

  if (l->root) {
    if (u->uid == 0) {
      *result = 'Z';
      (void)!stralloc_copylit(text, "Not allowed to deliver as root. (#4.7.0)\n");
      return -1;
    }
    s.set_ids = 1;
    s.uid = u->uid;
    s.gid = u->gid;
    s.groups = &group;
    s.ngroups = 1;
  }
  /* Fields kept for delivery programs are variables: of a process of its own. */
  if (!*c->captured && hand_over(l, slot, u, field, messfd)) return SPAWNER_ELSEWHERE;
  outfd = spawner_pipe(slot);
  if (outfd == -1) {
    (void)!stralloc_copylit(text, "Unable to start a delivery. (#4.3.0)\n");
    return -1;
  }
  ok = env_copy(&own, &l->env) && env_set(&own, "MESSID", c->messid) && set_asked(&own, c) && delivery_env_add(&own, c->captured);
  s.envp = ok ? env_vector(&own) : 0;
  if (!s.envp) {
    env_free(&own);
    return -1;
  }
  spawn_move(&s, messfd, 0);
  spawn_move(&s, outfd, 1);
  spawn_move(&s, outfd, 2);
  pid = spawn_start(&s, &e);
  env_free(&own);
  if (pid == -1) (void)!stralloc_catm(text, "Unable to run qmail-local: ", e.text, ". (#4.3.0)\n", (char *)0);
  return pid;
}

static pid_t start(void *ctx, struct spawner_slot *slot, const struct spawn_command *c, int messfd, char *result,
                   stralloc *text) {
  struct local *l = ctx;
  struct assign_user u = {0};
  stralloc local = STRALLOC_INIT;
  const char *at = strrchr(c->recipient[0], '@');
  struct strerr e;
  pid_t pid = -1;
  int found;

  *result = 'Z';
  if (c->n != 1) { /* or the others would count as delivered */
    (void)!stralloc_copylit(text, "A local delivery has one recipient. (#4.3.0)\n");
    return -1;
  }
  if (!at) {
    *result = 'D';
    (void)!stralloc_copylit(text, "This address has no host. (#5.1.2)\n");
    return -1;
  }
  if (at == c->recipient[0]) { /* to nobody: thrown away, as ever */
    *result = 'K';
    return -1;
  }
  if (!stralloc_copyb(&local, c->recipient[0], (size_t)(at - c->recipient[0]))) return -1;
  found = assign_find_again(&l->assign, l->cdb.s, local.s, local.len, &u, &e);
  if (found == -1) (void)!stralloc_catm(text, "Unable to read users/cdb: ", e.text, ". (#4.3.0)\n", (char *)0);
  if (found == 0) found = ask_getpw(l, local.s, &u, result, text);
  if (found == 1) pid = run(l, slot, c, &u, local.s, at + 1, messfd, result, text);
  assign_user_free(&u);
  stralloc_free(&local);
  return pid;
}

int main(int argc, char **argv) {
  struct local l = {0};
  struct spawner s = {.name = "qmail-lspawn", .output_max = OUTPUT_MAX, .start = start, .judge = judge, .ready = ready, .ctx = &l};
  char *worker_argv[3];
  const char *replacement = env_get("QMAILLOCAL");
  const char *getpw = env_get("QMAILGETPW");
  struct strerr e;

  if (argc != 2) strerr_die_usage("qmail-lspawn defaultdelivery (started by qmail-start)");
  l.defaultdelivery = argv[1];
  l.root = geteuid() == 0;
  if (!env_import(&l.env) || !paths_file(PATH_USERS, "cdb", &l.cdb)) strerr_die_nomem(FATAL);
  env_unset(&l.env, "QMAILREMOTE");
  if (accounts_find("qmailp", &l.getpw_account, &e) == -1) strerr_die(111, FATAL, &e);
  if (replacement && *replacement ? !stralloc_copys(&l.program, replacement) : !paths_program("qmail-local", &l.program))
    strerr_die_nomem(FATAL);
  if (getpw && *getpw ? !stralloc_copys(&l.getpw, getpw) : !paths_program("qmail-getpw", &l.getpw))
    strerr_die_nomem(FATAL);
  l.use_pool = !(replacement && *replacement);
  worker_argv[0] = l.program.s;
  worker_argv[1] = (char *)(uintptr_t) "-W";
  worker_argv[2] = 0;
  l.pool.argv = worker_argv;
  l.pool.cwd = "/";
  l.pool.errors = -1;
  l.pool.max = WORKERS_MAX;
  l.pool.spare = 1;
  return spawner_run(&s);
}
