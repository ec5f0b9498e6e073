/* login_tasks: see login_tasks.h.
 *
 * Both programs get the arguments USER@DOMAIN and HOME, /dev/null as 0 and 1, the log as 2, and answer
 * by their exit code. */
#include "user/login_tasks.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/env.h"
#include "base/file.h"
#include "base/program.h"
#include "conf/paths.h"
#include "user/assign.h"
#include "user/bulletin_wait.h"
#include "user/maildirsize.h"
#include "user/userdb.h"

#define TASK_SECONDS 60
#define LOOKUP_SECONDS 4
#define ASIDE 2
#define ASIDE_AND_SAY 3
#define MESSAGE_MAX 1000

static int cat_field(stralloc *s, const char *field) {
  return stralloc_append(s, ':') && stralloc_cats(s, field);
}

/* The account as passwd has it, without the password. */
static int account_line(const struct lookup_account *a, stralloc *s) {
  return stralloc_catm(s, "PWSTRUCT=", stralloc_cstr(&a->user), "@", stralloc_cstr(&a->domain), ":x:", (char *)0) &&
         stralloc_catu64(s, a->uid) && stralloc_append(s, ':') && stralloc_catu64(s, a->gid) &&
         cat_field(s, stralloc_cstr(&a->gecos)) && cat_field(s, stralloc_cstr(&a->home)) && cat_field(s, stralloc_cstr(&a->quota)) &&
         cat_field(s, a->inactive ? "1" : "0");
}

static int put_address(const struct lookup_account *a, stralloc *address) {
  return stralloc_catm(address, stralloc_cstr(&a->user), "@", stralloc_cstr(&a->domain), (char *)0);
}

/* Of the account; nothing is known of it where inlookup does not say so. */
static struct lookup_times ask_times(struct login *l, const char *address) {
  struct lookup_times t;
  struct strerr e;

  if (lookup_times(&l->lookup, address, deadline_in(LOOKUP_SECONDS), &t, &e) == LOOKUP_TEMPFAIL) login_trouble(l, &e);
  return t;
}

static int fill(struct env *env, const struct env *from, const struct lookup_account *a, struct login *l, stralloc *address) {
  stralloc line = STRALLOC_INIT;
  int ok = put_address(a, address) && account_line(a, &line) && env_copy(env, from) && env_put(env, line.s);
  const uint64_t set = ok ? ask_times(l, address->s).password : 0;

  stralloc_free(&line);
  return ok && (!set || env_setu64(env, "LAST_PASSWORD_CHANGE", set));
}

/* Its exit code, or -1 with e filled. */
static int start(struct login *l, const char *program, const struct lookup_account *a, const struct env *from, struct strerr *e) {
  const char *home = stralloc_cstr(&a->home);
  stralloc address = STRALLOC_INIT;
  struct env env = {.inherit = 0};
  int code = -1;

  if (!fill(&env, from, a, l, &address)) {
    strerr_set(e, "out of memory", (char *)0);
  } else {
    char *argv[] = {(char *)program, address.s, (char *)home, 0};
    struct spawn s = {.path = program, .argv = argv, .envp = env_vector(&env), .cwd = home};

    spawn_move(&s, SPAWN_NULL, 0);
    spawn_move(&s, SPAWN_NULL, 1);
    code = s.envp ? program_ask(&s, -1, 0, 0, deadline_in(TASK_SECONDS), e) : strerr_set(e, "out of memory", (char *)0);
  }
  stralloc_free(&address);
  env_free(&env);
  return code;
}

/* Its exit code; -1 where it could not be run or did not end.  One that says nothing we know is logged. */
static int run(struct login *l, const char *program, const struct lookup_account *a, const struct env *env) {
  struct strerr e;
  char text[48];
  int code = start(l, program, a, env, &e);

  if (code == 0 || code == ASIDE || code == ASIDE_AND_SAY) return code;
  snprintf(text, sizeof text, " ended with code %d", code);
  if (code != -1) strerr_set(&e, program, text, (char *)0);
  login_trouble(l, &e);
  return code;
}

/* The first line of the file $MSG_ONERROR, if there is one. */
static void read_message(struct login *l, stralloc *text) {
  const char *path = conf_line(l->conf, SET_msg_onerror);
  struct strerr e;
  size_t n = 0;

  if (!*path) return;
  if (file_read(path, text, MESSAGE_MAX) != 1) {
    strerr_sys(&e, "unable to read ", path, (char *)0);
    login_trouble(l, &e);
    return;
  }
  while (n < text->len && (unsigned char)text->s[n] >= 32 && text->s[n] != 127) ++n;
  stralloc_cut(text, n);
}

static enum login_task refuse(struct login *l, const stralloc *text) {
  if (!stralloc_copys(&l->why, text->len ? text->s : "the mailbox is closed")) stralloc_cut(&l->why, 0);
  return TASK_REFUSE;
}

static enum login_task judge(struct login *l, int code) {
  stralloc text = STRALLOC_INIT;
  enum login_task t = code == ASIDE || code == ASIDE_AND_SAY ? TASK_ASIDE : TASK_NONE;

  if (code == ASIDE_AND_SAY) {
    read_message(l, &text);
    if (conf_flag(l->conf, SET_exit_onerror)) t = refuse(l, &text);
    else if (text.len && l->protocol->alert) l->protocol->alert(l, text.s);
  }
  stralloc_free(&text);
  return t;
}

/* The flag in the home says that it has been run with success. */
static int is_migrated(const struct login *l, const struct lookup_account *a, stralloc *flag) {
  const char *name = conf_line(l->conf, SET_migrateflag);

  return !stralloc_catm(flag, stralloc_cstr(&a->home), "/", name, (char *)0) || access(flag->s, F_OK) == 0;
}

static enum login_task migrate(struct login *l, const struct lookup_account *a, const struct env *env) {
  const char *program = conf_line(l->conf, SET_migrateuser);
  stralloc flag = STRALLOC_INIT;
  enum login_task t = TASK_NONE;
  struct strerr e;

  if (*program && !is_migrated(l, a, &flag)) {
    int code = run(l, program, a, env);

    t = judge(l, code);
    if (code == 0 && file_replace(flag.s, "", 0, 0600) == -1) {
      strerr_sys(&e, "unable to create ", flag.s, (char *)0);
      login_trouble(l, &e);
    }
  }
  stralloc_free(&flag);
  return t;
}

/* Who is younger than it gets it, others never. */
static int welcome(struct login *l, const char *dir, const char *name, const char *maildir, const char *address, struct strerr *e) {
  int64_t since;
  int r = bulletin_is_new(dir, name, maildir, &since, e);
  struct lookup_times t;

  if (r != 1) return r;
  t = ask_times(l, address);
  if (!t.added) return 0; /* another time, perhaps */
  return t.added >= (uint64_t)since ? bulletin_give(dir, name, maildir, address, e) : bulletin_pass(dir, name, maildir, e);
}

/* What is not for everybody. */
static int give_own(struct login *l, const struct lookup_account *a, const char *dir, const char *maildir, const char *address, struct strerr *e) {
  const char *hello = conf_line(l->conf, SET_welcomemail), *activated = conf_line(l->conf, SET_activatemail);

  if (*hello && !bulletin_name_fault(hello) && welcome(l, dir, hello, maildir, address, e) == -1) return -1;
  return a->inactive && *activated && !bulletin_name_fault(activated) ? bulletin_give(dir, activated, maildir, address, e) : 0;
}

/* What lies in the domain's directory for those who log in. */
static void collect_bulletins(struct login *l, const struct lookup_account *a) {
  stralloc cdb = STRALLOC_INIT, key = STRALLOC_INIT, dir = STRALLOC_INIT, maildir = STRALLOC_INIT, address = STRALLOC_INIT;
  struct assign_user domain = {.data = STRALLOC_INIT};
  const char *name = stralloc_cstr(&a->domain);
  struct strerr e;
  int found = -1;

  strerr_set(&e, "out of memory", (char *)0);
  if (paths_file(PATH_USERS, "cdb", &cdb) && stralloc_catm(&key, name, "-", (char *)0) &&
      stralloc_catm(&maildir, stralloc_cstr(&a->home), "/Maildir", (char *)0) && put_address(a, &address))
    found = assign_find(cdb.s, key.s, key.len, &domain, &e);
  if (found == -1 || (found == 1 && bulletin_dir(l->conf, domain.home, &dir) &&
                      (give_own(l, a, dir.s, maildir.s, address.s, &e) == -1 || bulletin_collect(dir.s, maildir.s, address.s, &e) == -1)))
    login_trouble(l, &e);
  assign_user_free(&domain);
  stralloc_free(&cdb);
  stralloc_free(&key);
  stralloc_free(&dir);
  stralloc_free(&maildir);
  stralloc_free(&address);
}

/* Who was over quota, and is not any more, gets mail again. */
static void see_quota(struct login *l, const struct lookup_account *a) {
  const struct maildirsize_rules rules = maildirsize_rules(l->conf);
  stralloc maildir = STRALLOC_INIT, address = STRALLOC_INIT;
  struct quota q = {0, 0};
  struct usage u;
  struct strerr e;
  int fits = 0;

  if (!(a->flags & USER_BOUNCE_MAIL) || !quota_parse(stralloc_cstr(&a->quota), a->quota.len, &q) || quota_none(&q)) return;
  if (stralloc_catm(&maildir, stralloc_cstr(&a->home), "/Maildir", (char *)0) && put_address(a, &address))
    fits = maildirsize_fits(maildir.s, &q, &rules, 1, 1, &u, &e);
  if (fits == 1 && lookup_overquota(&l->lookup, address.s, 0, deadline_in(LOOKUP_SECONDS), &e) == LOOKUP_TEMPFAIL) login_trouble(l, &e);
  stralloc_free(&maildir);
  stralloc_free(&address);
}

enum login_task login_tasks(struct login *l, const struct lookup_account *a, const struct env *env) {
  const char *program = conf_line(l->conf, SET_postauth);
  enum login_task t = *program ? judge(l, run(l, program, a, env)) : TASK_NONE;

  if (t == TASK_NONE) t = migrate(l, a, env);
  if (t == TASK_NONE) collect_bulletins(l, a);
  see_quota(l, a);
  return t;
}
