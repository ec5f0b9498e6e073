/* rights: see rights.h. */
#include "smtp/rights.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cdb.h"
#include "base/file.h"
#include "base/words.h"
#include "conf/conf.h"
#include "conf/paths.h"
#include "mail/envrules.h"
#include "net/tcprules_data.h"
#include "queue/domainqueue.h"
#include "smtp/recipients.h"

#define RULES "TCPRULES"
#define WORDS_MAX 32
#define LINKS_MAX 8 /* to each other */

/* Programs of ours, whatever their arguments are. */
static const char *const programs[] = {"qmail-queue", "qmail-nullqueue", "qmail-idn", "qmail-turn", "qmail-tlsd", "qmail-smtp-plugin"};

/* Variables with what a client or the session says; where one ends with *, all that begin so. */
static const char *const of_session[] = {"TCPREMOTE*", "TCPLOCAL*", "TCP6*", "TCPPARANOID", "PROTO", "RELAYCLIENT", "AUTHINFO", "AUTHSERVICE", "MESSID", "ERROR_FD", "NULLQUEUE", "QUEUEDIR"};

/* Settings that are a command (no variables), or lines that assign variables. */
static const struct naming {
  enum setting setting;
  int (*variables)(const struct strlist *lines, struct strlist *out);
} naming[] = {
    {SET_spfprogram, 0},
    {SET_oauthprogram, 0},
    {SET_fromrules, envrules_variables},
    {SET_rcptrules, envrules_variables},
    {SET_authrules, envrules_variables},
    {SET_domainqueue, domainqueue_variables},
};
#define NAMING (sizeof naming / sizeof *naming)

/* --- what the administrator wrote --- */

/* Does NAME= of var stand among the names of a setting? */
static int overrides(const char *var, enum setting s) {
  size_t n = strcspn(var, "=");

  for (const char *names = conf_rows[s].variables; *names; names += strcspn(names, ","), names += *names == ',')
    if (strcspn(names, ",") == n && !memcmp(names, var, n)) return 1;
  return 0;
}

static int names_more(const char *var) {
  for (size_t i = 0; i < NAMING; ++i)
    if (overrides(var, naming[i].setting)) return 1;
  return 0;
}

static int add_programs_of(const struct strlist *recipients, struct strlist *commands) {
  struct recipients_line l;

  for (size_t i = 0; i < recipients->len; ++i) {
    recipients_parse(recipients->item[i].s, &l);
    if (l.program && !strlist_add(commands, l.source, strlen(l.source))) return 0;
  }
  return 1;
}

static int add_setting(struct rights *r, const struct conf *conf, const struct naming *n) {
  const char *command;

  if (n->variables) return n->variables(conf_lines(conf, n->setting), &r->variables);
  command = conf_line(conf, n->setting);
  return !*command || strlist_add(&r->commands, command, strlen(command));
}

static int add_conf(struct rights *r, const struct conf *conf) {
  int ok = 1;

  for (size_t i = 0; ok && i < NAMING; ++i) ok = add_setting(r, conf, &naming[i]);
  return ok && add_programs_of(conf_lines(conf, SET_recipients), &r->commands);
}

/* Those of the control files, as they are with this variable (null: with our own). */
static int add_settings(struct rights *r, const char *var) {
  struct env env = {.inherit = 1};
  struct conf conf = {0};
  struct strerr e;
  int ok = !var || env_put(&env, var);

  if (ok && conf_load_env(&conf, CONF_SMTPD, &env, &e) == 0) ok = add_conf(r, &conf);
  conf_free(&conf);
  env_free(&env);
  return ok;
}

static int add_rule(struct strlist *out, const char *data, size_t n) {
  const char *var;
  size_t pos = 0;
  int what;

  while ((what = tcprules_next(data, n, &pos, &var)) > 0)
    if (what == '+' && !strlist_add(out, var, strlen(var))) return 0;
  return 1;
}

/* Of tcpserver's rules. */
static int add_tcprules(struct strlist *out) {
  const char *path = env_get(RULES), *key, *data;
  uint32_t pos = 0, klen, dlen;
  struct cdb c;
  int ok = 1;

  if (!path || !*path || cdb_open(&c, path) != 1) return 1;
  while (ok && cdb_walk(&c, &pos, &key, &klen, &data, &dlen) == 1) ok = add_rule(out, data, dlen);
  cdb_free(&c);
  return ok;
}

static void sort_once(struct strlist *l) {
  size_t kept = 0;

  strlist_sort(l);
  for (size_t i = 0; i < l->len; ++i) {
    if (kept && stralloc_equals(&l->item[kept - 1], l->item[i].s)) stralloc_free(&l->item[i]);
    else l->item[kept++] = l->item[i];
  }
  l->len = kept;
}

/* Added to what was found before: a message under way may go by rules that are gone since.  A variable
 * may name a file with more of them.  conf: our settings, where they have just been read; or null. */
static int gather(struct rights *r, const struct conf *conf) {
  int ok = (conf ? add_conf(r, conf) : add_settings(r, 0)) && add_tcprules(&r->variables);
  size_t n;

  do {
    sort_once(&r->variables);
    n = r->variables.len;
    for (size_t i = 0; ok && i < n; ++i)
      if (names_more(r->variables.item[i].s)) ok = add_settings(r, r->variables.item[i].s);
    sort_once(&r->variables);
  } while (ok && r->variables.len > n);
  sort_once(&r->commands);
  return ok;
}

/* --- commands --- */

static int is_ours(const char *path) {
  stralloc ours = STRALLOC_INIT;
  int yes = 0;

  for (size_t i = 0; !yes && i < sizeof programs / sizeof *programs; ++i)
    yes = paths_program(programs[i], &ours) && stralloc_equals(&ours, path);
  stralloc_free(&ours);
  return yes;
}

static int same_words(char *const *a, char *const *b) {
  size_t i = 0;

  while (a[i] && b[i] && !strcmp(a[i], b[i])) ++i;
  return !a[i] && !b[i];
}

static int is_command(const char *command, char *const *argv) {
  stralloc copy = STRALLOC_INIT;
  char *words[WORDS_MAX + 1];
  int yes = stralloc_copys(&copy, command) && words_split(copy.s, words, WORDS_MAX) && same_words(words, argv);

  stralloc_free(&copy);
  return yes;
}

static const char *queue_program(const char *var) {
  return var && !strncmp(var, "QMAILQUEUE=", 11) ? var + 11 : "";
}

static int command_known(const struct rights *r, const struct spawn *s) {
  const char *queue = env_get("QMAILQUEUE");

  if (is_ours(s->path)) return 1;
  if (strcmp(s->path, s->argv[0])) return 0;
  if (r->auth && same_words(r->auth, s->argv)) return 1;
  if (queue && is_command(queue, s->argv)) return 1;
  for (size_t i = 0; i < r->commands.len; ++i)
    if (is_command(r->commands.item[i].s, s->argv)) return 1;
  for (size_t i = 0; i < r->variables.len; ++i)
    if (is_command(queue_program(r->variables.item[i].s), s->argv)) return 1;
  return 0;
}

/* --- variables --- */

static int is_of_session(const char *var) {
  size_t n = strcspn(var, "=");

  for (size_t i = 0; i < sizeof of_session / sizeof *of_session; ++i) {
    size_t len = strlen(of_session[i]);
    int all = of_session[i][len - 1] == '*';

    len -= (size_t)all;
    if ((all ? n >= len : n == len) && !memcmp(var, of_session[i], len)) return 1;
  }
  return 0;
}

static int is_own(const char *var) {
  for (char *const *own = environ; *own; ++own)
    if (!strcmp(*own, var)) return 1;
  return 0;
}

/* The first that is not known, or null. */
static const char *unknown_variable(const struct rights *r, char *const *envp) {
  for (; *envp; ++envp)
    if (!is_own(*envp) && !is_of_session(*envp) && strlist_find_sorted(&r->variables, *envp) == -1) return *envp;
  return 0;
}

static int deny(const struct spawn *s, const char *why, struct strerr *e) {
  strerr_set(e, s->path, ": ", why, (char *)0);
  return 0;
}

static int deny_variable(const struct spawn *s, const char *var, struct strerr *e) {
  char name[64] = "";
  size_t n = strcspn(var, "=");

  memcpy(name, var, n < sizeof name ? n : sizeof name - 1);
  strerr_set(e, s->path, ": no setting or rule gives ", name, " this value", (char *)0);
  return 0;
}

int rights_may_start(void *rights, const struct spawn *s, struct strerr *e) {
  struct rights *r = rights;
  const char *var;

  if (s->new_group || s->new_session || (s->cwd && strcmp(s->cwd, "/"))) return deny(s, "not to be started like that", e);
  if (command_known(r, s) && !unknown_variable(r, s->envp)) return 1;
  if (!gather(r, 0)) return deny(s, "out of memory", e);
  if (!command_known(r, s)) return deny(s, "no setting of this server names this command", e);
  var = unknown_variable(r, s->envp);
  return var ? deny_variable(s, var, e) : 1;
}

/* --- files --- */

/* The directory of one: what is in it is replaced. */
static int add_directory(struct strlist *paths, const char *path, size_t n) {
  size_t slash = bytes_rchr(path, n, '/');

  return *path != '/' || strlist_add(paths, path, slash ? slash : 1);
}

/* Names between commas. */
static int add_named(struct strlist *paths, const char *value) {
  while (*value) {
    size_t n = strcspn(value, ",");

    if (!add_directory(paths, value, n)) return 0;
    value += n;
    value += *value == ',';
  }
  return 1;
}

static int add_by_variable(struct strlist *paths, const char *var) {
  for (int i = 0; i < SETTINGS; ++i)
    if (conf_rows[i].readers & CONF_SMTPD && conf_rows[i].override == CONF_NAME && overrides(var, (enum setting)i))
      return add_named(paths, var + strcspn(var, "=") + 1);
  return 1;
}

static int add_databases(struct strlist *paths, const struct strlist *recipients) {
  struct recipients_line l;

  for (size_t i = 0; i < recipients->len; ++i) {
    recipients_parse(recipients->item[i].s, &l);
    if (!l.accept && !l.program && !add_named(paths, l.source)) return 0;
  }
  return 1;
}

/* Where a link leads in the end, whose directory is all that counts: the links in between need not be resolved
 * whole.  1, or 0 without memory. */
static int add_target(struct strlist *paths, stralloc *path) {
  char to[PATH_MAX];
  ssize_t n = 0;

  for (int links = 0; links < LINKS_MAX && (n = readlink(path->s, to, sizeof to)) != -1; ++links) {
    stralloc_cut(path, *to == '/' ? 0 : bytes_rchr(path->s, path->len, '/') + 1);
    if (!stralloc_catb(path, to, (size_t)n)) return 0;
  }
  return n != -1 || errno != EINVAL || add_directory(paths, path->s, path->len); /* EINVAL: no link */
}

/* Control files that are links lead somewhere; names in control/recipients are looked for beside the
 * control directory, which itself may be replaced. */
static int add_links(struct strlist *paths) {
  stralloc control = STRALLOC_INIT, above = STRALLOC_INIT, path = STRALLOC_INIT;
  int ok = paths_get(PATH_CONTROL, &control) && file_dirname(control.s, &above) == 0 && strlist_add(paths, above.s, above.len);
  DIR *dir = ok ? opendir(control.s) : 0;
  const struct dirent *d;

  while (ok && dir && (d = readdir(dir)) != 0) {
    if (d->d_type != DT_LNK && d->d_type != DT_UNKNOWN) continue;
    stralloc_cut(&path, 0);
    ok = stralloc_catm(&path, control.s, "/", d->d_name, (char *)0) && add_target(paths, &path);
  }
  if (dir) closedir(dir);
  stralloc_free(&control);
  stralloc_free(&above);
  stralloc_free(&path);
  return ok;
}

int rights_files(struct strlist *paths, const struct conf *conf, struct strerr *e) {
  struct rights all = {0};
  int ok = gather(&all, conf) && add_links(paths) && (!conf || add_databases(paths, conf_lines(conf, SET_recipients)));

  for (char *const *own = environ; ok && *own; ++own) ok = add_by_variable(paths, *own);
  for (size_t i = 0; ok && i < all.variables.len; ++i) ok = add_by_variable(paths, all.variables.item[i].s);
  rights_free(&all);
  sort_once(paths);
  return ok ? 0 : strerr_set(e, "out of memory", (char *)0);
}

void rights_free(struct rights *r) {
  strlist_free(&r->variables);
  strlist_free(&r->commands);
}
