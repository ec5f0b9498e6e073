/* login_run: see login_run.h.  What a mail server needs to be told stands in tables:
 * another server is another table. */
#include "user/login_run.h"

#include <errno.h>
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
#include "user/maildir.h"

struct variable {
  const char *name, *value; /* a default: one that is set stays */
};

static const struct variable courier_imap[] = {
    {"IMAP_CAPABILITY",
     "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"},
    {"IMAP_KEYWORDS", "1"},
    {"IMAP_ACL", "1"},
    {"IMAP_IDLE_TIMEOUT", "60"},
    {"IMAP_MAILBOX_SANITY_CHECK", "1"},
    {"IMAP_USELOCKS", "1"},
    {"IMAP_TRASHFOLDERNAME", "Trash"},
    {"IMAP_EMPTYTRASH", "Trash:7"},
    {"IMAP_UMASK", "077"},
    {"IMAP_DISABLETHREADSORT", "0"},
    {"IMAP_ENHANCEDIDLE", "1"},
    {"PROTOCOL", "IMAP"},
    {0, 0},
};
static const struct variable courier_pop3[] = {{"PROTOCOL", "POP3"}, {0, 0}};

static const struct {
  const char *service;
  const struct variable *defaults;
} courier[] = {{"imap", courier_imap}, {"pop3", courier_pop3}};

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to run the mail server", (char *)0);
}

static int set_defaults(struct env *env, const char *service) {
  for (size_t i = 0; i < sizeof courier / sizeof *courier; ++i)
    if (!strcmp(courier[i].service, service))
      for (const struct variable *v = courier[i].defaults; v->name; ++v)
        if (!env_lookup(env, v->name) && !env_set(env, v->name, v->value)) return 0;
  return 1;
}

static int fill(struct env *env, const struct login *l, const struct lookup_account *a, const char *typed,
                const char *tag, const char *maildir, const char *address) {
  if (!env_import(env) || !set_defaults(env, l->protocol->service)) return 0;
  env_unset(env, "IMAPLOGINTAG");
  env_unset(env, "MAILDIRQUOTA");
  if (strcmp(stralloc_cstr(&a->quota), "NOQUOTA") != 0 && !env_set(env, "MAILDIRQUOTA", stralloc_cstr(&a->quota))) return 0;
  if (l->protocol->uses_tag && !env_set(env, "IMAPLOGINTAG", tag)) return 0;
  return env_set(env, "AUTHENTICATED", typed) && env_set(env, "AUTHADDR", address) &&
         env_set(env, "AUTHFULLNAME", stralloc_cstr(&a->gecos)) && env_set(env, "AUTHSERVICE", l->protocol->service) &&
         env_set(env, "HOME", a->home.s) && env_set(env, "MAILDIR", maildir) &&
         login_peer_environment(l, env);
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

/* Becomes the server, unless a task says otherwise. */
static int run_server(struct login *l, const struct lookup_account *a, struct env *env, stralloc *maildir, struct strerr *e) {
  struct spawn s = {.path = l->argv[1], .argv = l->argv + 1, .cwd = stralloc_cstr(&a->home)};
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
  (void)!login_flush(l); /* what a task had to say */
  s.envp = env_vector(env);
  spawn_move(&s, l->in, 0);
  spawn_move(&s, l->out, 1);
  return s.envp ? spawn_exec(&s, e) : no_memory(e);
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

  if (paths_program(l->name, &self) && env_import(&env) && set_arguments(&env, l, self.s) &&
      set_defaults(&env, l->protocol->service) && login_peer_environment(l, &env) &&
      (!l->protocol->uses_tag || env_set(&env, "IMAPLOGINTAG", tag)) &&
      env_setu64(&env, "AUTHEXPIRE", (uint64_t)(wall_now() + (left > 0 ? left : 0))) &&
      env_setu64(&env, "BADLOGINS", l->tries + 1) && (!l->tls || env_set(&env, "IMAP_TLS", "1"))) {
    env_unset(&env, "AUTHENTICATED");
    env_unset(&env, "AUTHADDR");
    s.envp = env_vector(&env);
  }
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
