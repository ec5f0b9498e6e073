/* login_run: see login_run.h. */
#include "user/login_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/now.h"
#include "base/spawn.h"
#include "conf/paths.h"
#include "user/identity.h"
#include "user/login_peer.h"
#include "user/login_tasks.h"
#include "user/mail_server.h"
#include "user/maildir.h"

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to run the mail server", (char *)0);
}

static int fill(struct env *env, const struct login *l, const struct lookup_account *a, const char *typed,
                const char *tag, const char *maildir, const char *address) {
  if (!env_import(env)) return 0;
  env_unset(env, "IMAPLOGINTAG");
  env_unset(env, "MAILDIRQUOTA");
  if (strcmp(stralloc_cstr(&a->quota), "NOQUOTA") != 0 && !env_set(env, "MAILDIRQUOTA", stralloc_cstr(&a->quota))) return 0;
  if (l->protocol->uses_tag && !env_set(env, "IMAPLOGINTAG", tag)) return 0;
  return env_set(env, "AUTHENTICATED", typed) && env_set(env, "AUTHADDR", address) &&
         env_set(env, "AUTHFULLNAME", stralloc_cstr(&a->gecos)) && env_set(env, "AUTHSERVICE", l->protocol->service) &&
         env_set(env, "HOME", a->home.s) && env_set(env, "MAILDIR", maildir) &&
         login_peer_environment(l, env) && mail_server_environment(l->server, l, env);
}

/* The mailbox is its owner's: become that before anything of it is touched. */
static int become_owner(const struct lookup_account *a, struct strerr *e) {
  const struct identity owner = {a->uid, a->gid};

  if (geteuid() == 0) {
    if (a->uid == 0) return strerr_set(e, "the mailbox belongs to root", (char *)0);
    return identity_become(&owner, e);
  }
  if (geteuid() == a->uid) return 0;
  return strerr_set(e, "the mailbox belongs to another user than this service runs as", (char *)0);
}

/* The session's home is another. */
static int set_aside(struct env *env, const char *home, stralloc *maildir) {
  stralloc_cut(maildir, 0);
  return stralloc_catm(maildir, home, "/Maildir", (char *)0) && env_set(env, "HOME", home) && env_set(env, "MAILDIR", maildir->s);
}

static int become_server(struct login *l, const struct lookup_account *a, struct spawn *s, struct strerr *e) {
  const char *greeting = mail_server_greeting(l->server, l);
  struct strlist args = {0};
  char **argv = 0;
  int r;

  if (greeting && login_says(l, greeting) == -1) return no_memory(e);
  (void)!login_flush(l);
  if (mail_server_arguments(l->server, l, a, &args)) argv = strlist_argv(&args);
  s->argv = argv;
  spawn_move(s, l->in, 0);
  spawn_move(s, l->out, 1);
  r = argv && s->envp ? spawn_exec(s, e) : no_memory(e);
  free(argv);
  strlist_free(&args);
  return r;
}

/* Becomes the server, unless a task says otherwise. */
static int run_server(struct login *l, const struct lookup_account *a, struct env *env, stralloc *maildir, struct strerr *e) {
  struct spawn s = {.path = l->argv[1], .cwd = stralloc_cstr(&a->home)};
  const char *aside = conf_line(l->conf, SET_tmp_maildir);

  switch (login_tasks(l, a, env)) {
    case TASK_REFUSE: return 1;
    case TASK_ASIDE:
      if (!*aside) break;
      s.cwd = aside;
      if (!set_aside(env, aside, maildir)) return no_memory(e);
      break;
    case TASK_NONE: break;
  }
  s.envp = env_vector(env);
  return become_server(l, a, &s, e);
}

int login_run_server(struct login *l, const struct lookup_account *a, const char *typed, const char *tag,
                     struct strerr *e) {
  stralloc maildir = STRALLOC_INIT, address = STRALLOC_INIT;
  struct env env = {0};
  int r = -1;

  if (!stralloc_catm(&maildir, stralloc_cstr(&a->home), "/Maildir", (char *)0) ||
      !stralloc_catm(&address, stralloc_cstr(&a->user), "@", stralloc_cstr(&a->domain), (char *)0))
    r = no_memory(e);
  else if (become_owner(a, e) == 0 && maildir_create(maildir.s, 0700, 1, e) == 0)
    r = fill(&env, l, a, typed, tag, maildir.s, address.s) ? run_server(l, a, &env, &maildir, e) : no_memory(e);
  stralloc_free(&maildir);
  stralloc_free(&address);
  env_free(&env);
  return r;
}

int login_run_for_module(struct login *l, struct strerr *e) {
  struct lookup_account nobody = {.inactive = 0}; /* without a quota of ours */
  struct spawn s = {.path = l->argv[1]};
  struct env env = {0};
  int r;

  if (env_import(&env) && mail_server_environment(l->server, l, &env)) s.envp = env_vector(&env);
  r = become_server(l, &nobody, &s, e);
  env_free(&env);
  return r;
}

/* Our own command line, for the last module to start us again. */
static int set_arguments(struct env *env, const struct login *l, const char *self) {
  stralloc name = STRALLOC_INIT;
  int ok = env_set(env, "AUTHUSER", self) && env_setu64(env, "AUTHARGC", (uint64_t)l->argc);

  for (int i = 0; ok && i < l->argc; ++i) {
    stralloc_cut(&name, 0);
    ok = stralloc_cats(&name, "AUTHARGV") && stralloc_catu64(&name, (uint64_t)i) && env_set(env, name.s, l->argv[i]);
  }
  stralloc_free(&name);
  return ok;
}

/* service LF login LF user LF password LF in a pipe: its reading end, or -1. */
static int credentials(struct login *l) {
  stralloc text = STRALLOC_INIT;
  int p[2] = {-1, -1};

  if (stralloc_catm(&text, l->protocol->service, "\nlogin\n", l->user.s, "\n", l->password.s, "\n", (char *)0) &&
      fd_pipe(p) == 0 && fd_write_all(p[1], text.s, text.len) == -1)
    p[0] = fd_close(p[0]);
  fd_close(p[1]);
  stralloc_wipe(&text);
  return p[0];
}

int login_run_modules(struct login *l, const char *tag, struct strerr *e) {
  stralloc self = STRALLOC_INIT;
  struct env env = {0};
  struct spawn s = {.path = l->argv[1], .argv = l->argv + 1};
  int input = credentials(l);
  int r = -1;
  int64_t left = (l->session - mono_now()) / NS_PER_S;
  int ok = env_import(&env);

  env_unset(&env, "AUTHENTICATED");
  env_unset(&env, "AUTHADDR");
  if (ok && paths_program(l->name, &self) && set_arguments(&env, l, self.s) &&
      login_peer_environment(l, &env) && mail_server_environment(l->server, l, &env) &&
      (!l->protocol->uses_tag || env_set(&env, "IMAPLOGINTAG", tag)) &&
      env_setu64(&env, "AUTHEXPIRE", (uint64_t)(wall_now() + (left > 0 ? left : 0))) &&
      env_setu64(&env, "BADLOGINS", l->tries + 1) && (!l->tls || env_set(&env, "IMAP_TLS", "1")))
    s.envp = env_vector(&env);
  if (input != -1 && s.envp) {
    spawn_move(&s, l->in, 0);
    spawn_move(&s, l->out, 1);
    spawn_move(&s, input, 3);
    r = spawn_exec(&s, e);
  } else {
    no_memory(e);
  }
  fd_close(input);
  stralloc_free(&self);
  env_free(&env);
  return r;
}
