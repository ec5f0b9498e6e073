/* explain_run: one rehearsal, in a process of its own: qmail-smtpd with the environment it would
 * have, or with one thing in it changed.  A changed control file stands in a directory of links to
 * the others, which is gone afterwards. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/spawn.h"
#include "conf/paths.h"
#include "smtp/explain.h"

#define OUTPUT_MAX (8u << 20)
#define ARGS 16

struct run {
  struct env env;
  char *argv[ARGS];
  int argc;
  char dir[64]; /* of links, or "" */
  int out, err; /* memory files */
};

static const char *const words[] = {
    [EXPLAIN_REFUSED] = "refused", [EXPLAIN_ACCEPTED] = "accepted", [EXPLAIN_DISCARDED] = "discarded"};

const char *explain_outcome_word(enum explain_outcome outcome) {
  return words[outcome];
}

/* --- a control directory with one file changed --- */

static int join(stralloc *path, const char *dir, const char *name) {
  stralloc_cut(path, 0);
  return stralloc_catm(path, dir, "/", name, (char *)0);
}

static int link_one(const struct run *r, const char *control, const char *name) {
  stralloc from = STRALLOC_INIT, to = STRALLOC_INIT;
  int ok = join(&from, control, name) && join(&to, r->dir, name) && symlink(from.s, to.s) == 0;

  stralloc_free(&from);
  stralloc_free(&to);
  return ok;
}

static int link_others(const struct run *r, const char *control, const char *name) {
  DIR *d = opendir(control);
  const struct dirent *entry;
  int ok = d != 0;

  while (ok && (entry = readdir(d)) != 0)
    if (entry->d_name[0] != '.' && strcmp(entry->d_name, name)) ok = link_one(r, control, entry->d_name);
  if (d) closedir(d);
  return ok;
}

static int write_file(const struct run *r, const char *name, const stralloc *bytes) {
  stralloc path = STRALLOC_INIT;
  int fd = join(&path, r->dir, name) ? fd_open_trunc(path.s, 0600) : -1;
  int ok = fd != -1 && fd_write_all(fd, stralloc_cstr(bytes), bytes->len) == 0;

  fd_close(fd);
  stralloc_free(&path);
  return ok;
}

static int make_dir(struct run *r, const struct explain_change *c, struct strerr *e) {
  stralloc control = STRALLOC_INIT, path = STRALLOC_INIT;
  char dir[] = "/tmp/smtp-explain.XXXXXX";
  int ok = paths_get(PATH_CONTROL, &control) && stralloc_ready(&path, PATH_MAX) && realpath(control.s, path.s) && mkdtemp(dir);

  if (ok) memcpy(r->dir, dir, sizeof dir);
  ok = ok && link_others(r, path.s, c->file) && write_file(r, c->file, c->bytes) && env_set(&r->env, "CONTROLDIR", r->dir);
  if (!ok) strerr_sys(e, "unable to lay out a changed control directory", (char *)0);
  stralloc_free(&control);
  stralloc_free(&path);
  return ok ? 0 : -1;
}

static void remove_dir(const struct run *r) {
  DIR *d = *r->dir ? opendir(r->dir) : 0;
  const struct dirent *entry;

  while (d && (entry = readdir(d)) != 0)
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) (void)!unlinkat(dirfd(d), entry->d_name, 0);
  if (d) closedir(d);
  if (*r->dir) (void)!rmdir(r->dir);
}

/* --- the process --- */

static void add(struct run *r, const char *option, const char *value) {
  r->argv[r->argc++] = (char *)option;
  if (value) r->argv[r->argc++] = (char *)value;
}

static void arguments(struct run *r, const struct explain_question *q, const struct explain_change *c) {
  int logs_in = c->logs_in ? c->logs_in : q->user ? 1 : -1;
  int uses_tls = c->uses_tls ? c->uses_tls : q->tls ? 1 : -1;

  add(r, "qmail-smtpd", 0);
  add(r, "--explain", 0);
  add(r, "-h", q->helo);
  add(r, "-f", q->sender);
  add(r, "-t", q->recipient);
  if (logs_in == 1) add(r, "-u", q->user ? q->user : q->sender);
  if (uses_tls == 1) add(r, "-s", 0);
  if (q->file) add(r, "-m", 0);
}

static int environment(struct run *r, const struct explain_question *q, const struct explain_change *c) {
  int ok = env_import(&r->env) && env_set(&r->env, "TCPREMOTEIP", q->ip);

  (void)!env_unset(&r->env, "TCPREMOTEINFO");
  if (q->host) ok = ok && env_set(&r->env, "TCPREMOTEHOST", q->host);
  if (!c->variable) return ok;
  if (strchr(c->variable, '=')) return ok && env_put(&r->env, c->variable);
  (void)!env_unset(&r->env, c->variable);
  return ok;
}

static int start(struct run *r, const char *program, const char *file, struct strerr *e) {
  struct spawn s = {.path = program, .argv = r->argv};
  int in = fd_open_read(file ? file : "/dev/null");
  pid_t pid;

  if (in == -1) return strerr_sys(e, "unable to read ", file ? file : "/dev/null", (char *)0);
  r->out = memfd_create("out", MFD_CLOEXEC);
  r->err = memfd_create("err", MFD_CLOEXEC);
  s.envp = env_vector(&r->env);
  spawn_move(&s, in, 0);
  spawn_move(&s, r->out, 1);
  spawn_move(&s, r->err, 2);
  pid = r->out == -1 || r->err == -1 || !s.envp ? strerr_sys(e, "unable to start ", program, (char *)0) : spawn_start(&s, e);
  fd_close(in);
  return pid == -1 ? -1 : spawn_code(spawn_wait(pid));
}

static int read_back(int fd, stralloc *to) {
  return lseek(fd, 0, SEEK_SET) == 0 && fd_slurp(fd, to, OUTPUT_MAX) == 0;
}

/* --- what it said --- */

static struct explain_record *new_record(struct explanation *x) {
  if (x->len == x->a) {
    size_t a = x->a ? x->a * 2 : 256;
    struct explain_record *more = reallocarray(x->record, a, sizeof *more);

    if (!more) return 0;
    x->record = more;
    x->a = a;
  }
  for (int i = 0; i < EXPLAIN_FIELDS; ++i) x->record[x->len].field[i] = "";
  return &x->record[x->len++];
}

/* The text is ours: TABs and line ends become the ends of strings. */
static int parse(struct explanation *x) {
  char *s = x->text.s;

  for (char *end = s + x->text.len; s < end;) {
    struct explain_record *r = new_record(x);
    char *line = s;

    if (!r) return 0;
    s += strcspn(s, "\n");
    *s++ = 0;
    for (int i = 0; i < EXPLAIN_FIELDS && *line; ++i) {
      size_t n = strcspn(line, "\t");

      r->field[i] = line;
      line += n;
      if (*line) *line++ = 0;
    }
  }
  return 1;
}

static int is(const struct explain_record *r, int field, const char *word) {
  return !strcmp(r->field[field], word);
}

static void conclude(struct explanation *x) {
  const struct explain_record *dropped = 0, *refused = 0;

  x->reply = "";
  for (size_t i = 0; i < x->len; ++i) {
    const struct explain_record *r = &x->record[i];

    if (is(r, 0, "reply")) x->reply = r->field[2];
    if (is(r, 0, "reply") && is(r, 1, "MESSAGE") && *r->field[2] == '2') x->outcome = EXPLAIN_ACCEPTED;
    if (!is(r, 0, "row") || is(r, 3, "warn")) continue;
    if (is(r, 4, "reject") || is(r, 4, "defer")) refused = r;
    if (is(r, 4, "discard")) dropped = r;
  }
  x->decisive = refused;
  if (x->outcome != EXPLAIN_ACCEPTED || !dropped) return;
  x->outcome = EXPLAIN_DISCARDED;
  x->decisive = dropped;
}

const struct explain_record *explain_next_setting(const struct explanation *x, const struct explain_record *after) {
  for (++after; after < x->record + x->len; ++after) {
    if (is(after, 0, "set")) return after;
    if (!is(after, 0, "in")) return 0;
  }
  return 0;
}

static int run(struct run *r, const struct explain_question *q, const struct explain_change *c, struct explanation *out, struct strerr *e) {
  stralloc program = STRALLOC_INIT, why = STRALLOC_INIT;
  int code = -1, result = -1;

  errno = ENOMEM;
  arguments(r, q, c);
  if (!environment(r, q, c) || !paths_program("qmail-smtpd", &program)) strerr_sys(e, "unable to ask", (char *)0);
  else if (!c->file || make_dir(r, c, e) == 0) code = start(r, program.s, q->file, e);
  if (code > 0 && read_back(r->err, &why)) strerr_set(e, stralloc_cstr(&why), (char *)0);
  if (code == 0 && read_back(r->out, &out->text) && parse(out)) result = 0;
  else if (code == 0) strerr_sys(e, "unable to read what qmail-smtpd says", (char *)0);
  if (result == 0) conclude(out);
  stralloc_free(&program);
  stralloc_free(&why);
  return result;
}

int explain_run(const struct explain_question *q, const struct explain_change *change, struct explanation *out, struct strerr *e) {
  static const struct explain_change none;
  struct run r = {.out = -1, .err = -1};
  int result = run(&r, q, change ? change : &none, out, e);

  remove_dir(&r);
  fd_close(r.out);
  fd_close(r.err);
  env_free(&r.env);
  return result;
}

void explanation_free(struct explanation *x) {
  stralloc_free(&x->text);
  free(x->record);
  memset(x, 0, sizeof *x);
}
