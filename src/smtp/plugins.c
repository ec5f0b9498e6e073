/* plugins: see plugins.h. */
#include "smtp/plugins.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto_paths.h"
#include "base/bytes.h"
#include "base/fd.h"
#include "base/iodeadline.h"
#include "base/netstring.h"
#include "base/spawn.h"
#include "base/wait.h"
#include "conf/paths.h"

#define HOST "qmail-smtp-plugin"
#define HOST_FD 3
#define LAST_SECONDS 2

/* --- which there are --- */

static int nomem(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to look for plugins", (char *)0);
}

/* A path, or a name below the directory of plugins. */
static int find(const char *name, const char *dir, stralloc *path) {
  stralloc_cut(path, 0);
  if (*name == '/') return stralloc_copys(path, name);
  if (dir && *dir) return stralloc_catm(path, dir, "/", name, (char *)0);
  return stralloc_catm(path, auto_prefix, "/lib/indimail/plugins/", name, (char *)0);
}

/* 1 added, 0 it is not there, -1 with e. */
static int add(struct strlist *files, const char *name, const char *dir, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  struct stat st;
  int r = find(name, dir, &path) ? 1 : nomem(e);

  if (r == 1 && stat(path.s, &st) == -1) r = errno == ENOENT ? 0 : strerr_sys(e, "unable to look at ", path.s, (char *)0);
  if (r == 1 && !strlist_add(files, path.s, path.len)) r = nomem(e);
  stralloc_free(&path);
  return r;
}

static int add_first(struct strlist *files, const struct plugin_names *names, struct strerr *e) {
  const char *name = names->first ? names->first : conf_rows[SET_smtp_plugin].def;
  int r;

  if (!*name) return 0;
  if (*name != '/' && strchr(name, '/')) {
    e->permanent = 1;
    return strerr_set(e, "SMTP_PLUGIN is neither a path nor the name of a file: ", name, (char *)0);
  }
  r = add(files, name, names->dir, e);
  if (r == 0 && names->first) return strerr_set(e, "SMTP_PLUGIN: there is no plugin ", name, (char *)0);
  return r == -1 ? -1 : 0;
}

static int add_numbered(struct strlist *files, const struct plugin_names *names, struct strerr *e) {
  stralloc name = STRALLOC_INIT;
  int r = 1;

  for (uint64_t i = 0; r == 1 && files->len < PLUGINS_MAX; ++i) {
    stralloc_cut(&name, 0);
    if (!stralloc_copylit(&name, "smtpd-plugin") || !stralloc_catu64(&name, i) || !stralloc_catlit(&name, ".so")) r = nomem(e);
    else r = add(files, name.s, names->dir, e);
  }
  stralloc_free(&name);
  return r == -1 ? -1 : 0;
}

int plugins_find(struct strlist *files, const struct plugin_names *names, struct strerr *e) {
  return add_first(files, names, e) == 0 ? add_numbered(files, names, e) : -1;
}

const char *plugins_symbol(const struct plugin_names *names) {
  return names->symbol ? names->symbol : conf_rows[SET_smtp_plugin_symb].def;
}

static const char *if_set(const struct conf *conf, enum setting s) {
  return conf_isset(conf, s) ? conf_line(conf, s) : 0;
}

int plugins_open(struct plugins *p, const struct conf *conf, struct strerr *e) {
  memset(p, 0, sizeof *p);
  p->names = (struct plugin_names){if_set(conf, SET_smtp_plugin), if_set(conf, SET_plugindir), if_set(conf, SET_smtp_plugin_symb)};
  p->seconds = conf_number(conf, SET_smtp_plugin_timeout);
  return conf_flag(conf, SET_disable_plugin) ? 0 : plugins_find(&p->files, &p->names, e);
}

void plugins_close(struct plugins *p) {
  strlist_free(&p->files);
}

/* --- their process --- */

/* What tells one set of plugins from another. */
static int describe(const struct plugins *p, stralloc *out) {
  const char *symbol = plugins_symbol(&p->names);
  int ok = stralloc_catz(out, symbol, strlen(symbol));

  for (size_t i = 0; ok && i < p->files.len; ++i) ok = stralloc_catz(out, p->files.item[i].s, p->files.item[i].len);
  return ok;
}

static int set(struct env *env, const char *name, const char *value) {
  return value ? env_set(env, name, value) : env_unset(env, name) || !env->inherit;
}

/* The variables of the connection, and those of this message that say which plugins there are. */
static int make_env(struct env *env, const struct env *from, const struct plugin_names *n) {
  return env_copy(env, from) && set(env, "SMTP_PLUGIN", n->first) && set(env, "PLUGINDIR", n->dir) && set(env, "SMTP_PLUGIN_SYMB", n->symbol);
}

static pid_t run(const char *program, struct env *env, int fd, struct strerr *e) {
  static const char *const argv[] = {HOST, 0};
  struct spawn s = {.path = program, .argv = (char *const *)argv, .envp = env_vector(env)};

  if (!s.envp) return strerr_sys(e, "unable to start ", program, (char *)0);
  spawn_move(&s, SPAWN_NULL, 0);
  spawn_move(&s, 2, 1); /* what a plugin prints goes to the log */
  spawn_move(&s, fd, HOST_FD);
  return spawn_start(&s, e);
}

/* 0, or -1 with e filled. */
static int start(struct plugin_host *h, const struct plugins *p, struct strerr *e) {
  stralloc program = STRALLOC_INIT;
  struct env env = {0};
  int pair[2] = {-1, -1};
  pid_t pid = -1;

  errno = ENOMEM;
  if (!paths_program(HOST, &program) || !make_env(&env, h->env, &p->names) || !describe(p, &h->loaded) || fd_socketpair(pair) == -1)
    strerr_sys(e, "unable to start " HOST, (char *)0);
  else pid = run(program.s, &env, pair[1], e);
  fd_close(pair[1]);
  if (pid == -1) {
    fd_close(pair[0]);
    stralloc_free(&h->loaded);
  } else {
    h->pid = pid;
    h->fd = pair[0];
  }
  stralloc_free(&program);
  env_free(&env);
  return pid == -1 ? -1 : 0;
}

/* Its exit code, or -1 when it had to be ended. */
static int end(struct plugin_host *h, int64_t seconds) {
  pid_t pid = h->pid;

  if (!pid) return 0;
  wait_forget(h->fd);
  h->fd = fd_close(h->fd);
  h->pid = 0;
  stralloc_free(&h->loaded);
  return wait_child_or_end(pid, deadline_in(seconds));
}

void plugin_host_end(struct plugin_host *h) {
  (void)end(h, LAST_SECONDS);
}

/* --- a question --- */

/* One that was started for other plugins (by rules of envrules(5), say) is not asked. */
static int ready(struct plugin_host *h, const struct plugins *p, struct strerr *e) {
  stralloc wanted = STRALLOC_INIT;
  int ok = describe(p, &wanted);

  if (h->pid && (!ok || !bytes_equal(wanted.s, wanted.len, h->loaded.s, h->loaded.len))) plugin_host_end(h);
  stralloc_free(&wanted);
  if (!ok) return nomem(e);
  return h->pid ? 0 : start(h, p, e);
}

/* 0 with what it said, or -1 with errno. */
static int exchange(const struct plugin_host *h, const stralloc *question, uint64_t seconds, stralloc *answer) {
  char buf[512];
  struct iodeadline io = {.fd = h->fd, .when = deadline_in((int64_t)seconds), .session = DEADLINE_NEVER};
  uint64_t left = PLUGIN_ANSWER_MAX + 1;
  size_t sent = 0;
  substdio in;

  while (sent < question->len) {
    ssize_t w = iodeadline_write(&io, question->s + sent, question->len - sent);

    if (w <= 0) return -1;
    sent += (size_t)w;
  }
  substdio_init(&in, iodeadline_read, &io, buf, sizeof buf);
  switch (netstring_get(&in, &left, PLUGIN_ANSWER_MAX, answer)) {
    case 1: return substdio_have(&in) ? (errno = EPROTO, -1) : 0;
    case 0: errno = EPIPE; return -1;
  }
  return -1;
}

/* It cannot be asked any more: why. */
static enum plugin_kind lost(struct plugin_host *h, struct strerr *e) {
  int why = errno;
  int code = end(h, why == EPIPE || why == ECONNRESET ? LAST_SECONDS : 0);

  if (why == ETIMEDOUT) strerr_set(e, "a plugin has not answered in time", (char *)0);
  else if (code > 128) strerr_set(e, "a plugin fell dead: ", strsignal(code - 128), (char *)0);
  else if (why == EPIPE || why == ECONNRESET) strerr_set(e, "a plugin ended its process", (char *)0);
  else strerr_set(e, "a plugin disturbs what is said about it: ", strerror(why), (char *)0);
  return PLUGIN_FAILS;
}

static enum plugin_kind understand(const stralloc *answer, struct plugin_reply *r, struct strerr *e) {
  enum plugin_kind kind;
  const char *text;
  size_t n;

  if (!plugin_answer_parse(stralloc_cstr(answer), answer->len, &kind, &text, &n)) {
    strerr_set(e, HOST " says what nobody understands", (char *)0);
    return PLUGIN_FAILS;
  }
  if (kind == PLUGIN_FAILS) strerr_set(e, text, (char *)0);
  if (kind != PLUGIN_REFUSES || plugin_reply_parse(text, n, r)) return kind;
  strerr_set(e, n ? "a plugin refuses with what is no reply: " : "a plugin refuses without a reply", text, (char *)0);
  return PLUGIN_FAILS;
}

enum plugin_kind plugin_host_ask(struct plugin_host *h, const struct plugins *p, const struct plugin_question *q,
                                 struct plugin_reply *r, struct strerr *e) {
  stralloc question = STRALLOC_INIT, answer = STRALLOC_INIT;
  enum plugin_kind kind = PLUGIN_FAILS;

  if (!plugin_question_build(&question, q)) strerr_set(e, "unable to ask a plugin", (char *)0);
  else if (ready(h, p, e) == 0) kind = exchange(h, &question, p->seconds, &answer) == 0 ? understand(&answer, r, e) : lost(h, e);
  stralloc_free(&question);
  stralloc_free(&answer);
  return kind;
}
