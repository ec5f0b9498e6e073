/* conf: see conf.h. */
#include "conf/conf.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/file.h"
#include "base/now.h"
#include "base/scan.h"
#include "conf/paths.h"
#include "conf/schema_columns.h"

#define VARIABLE_MAX 64 /* bytes of the name of one */

const struct conf_row conf_rows[SETTINGS] = {
#define SETTING(id, file, type, def, var, override, reload, programs, meaning) \
  {#id, file, type, def, var, override, reload, programs, meaning},
#include "conf/schema.def"
#undef SETTING
};

/* The first variable of the row's list that is set, and its name, for which there is room: a
 * variable is never taken for one that is not set. */
static const char *variable(const struct env *env, const struct conf_row *row, stralloc *name) {
  const char *s = row->variables;

  while (*s) {
    size_t n = bytes_chr(s, strlen(s), ',');
    const char *v;

    if (!stralloc_copyb(name, s, n)) return 0;
    if (env) v = env_lookup(env, name->s);
    else v = row->override == CONF_OPEN ? env_get(name->s) : env_trusted(name->s);
    if (v) return v;
    s += n;
    if (*s) ++s;
  }
  return 0;
}

static int bad(struct strerr *e, const struct conf_value *v, size_t line, const char *what) {
  char number[24] = "";

  if (v->origin == CONF_FROM_FILE) {
    stralloc n = STRALLOC_INIT;

    if (stralloc_append(&n, ':') && stralloc_catu64(&n, line) && n.len < sizeof number)
      memcpy(number, n.s, n.len + 1);
    stralloc_free(&n);
  }
  strerr_set(e, stralloc_cstr(&v->where), number, ": ", what, (char *)0);
  e->permanent = 1;
  return -1;
}

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to read settings", (char *)0);
}

static int add_lines(struct strlist *lines, const char *s, size_t n) {
  while (n) {
    size_t i = bytes_chr(s, n, '\n');
    size_t len = i;

    while (len && memchr(" \t\r", s[len - 1], 3)) --len;
    if (len && s[0] != '#' && !strlist_add(lines, s, len)) return 0;
    if (i < n) ++i;
    s += i;
    n -= i;
  }
  return 1;
}

/* Gives the value its type.  s is the file's or the variable's text. */
static int interpret(struct conf_value *v, enum conf_type type, const char *s, size_t n,
                     struct strerr *e) {
  size_t first = bytes_chr(s, n, '\n');

  if (type == CONF_LINES) return add_lines(&v->lines, s, n) ? 0 : no_memory(e);
  if (!stralloc_copyb(&v->text, s, type == CONF_TEXT ? n : first)) return no_memory(e);
  if (type == CONF_TEXT) return 0;
  stralloc_chomp(&v->text);
  switch (type) {
    case CONF_NUMBER:
    case CONF_SECONDS:
      if (!scan_u64_max(v->text.s, v->text.len, INT64_MAX, &v->number))
        return bad(e, v, 1, "a number is wanted");
      return 0;
    case CONF_BOOL: v->number = !stralloc_equals(&v->text, "0"); return 0;
    case CONF_LINE:
      if (bytes_chr(v->text.s, v->text.len, 0) != v->text.len)
        return bad(e, v, 1, "a NUL byte is not allowed");
      return 0;
    case CONF_LINES:
    case CONF_TEXT:
    case CONF_LIST: return 0;
  }
  return 0;
}

/* Path of a setting's file: 1, 0 it has none, -1 no memory.  A name that ends in .queueN is
 * the file of the queue we work on. */
static int find_file(const char *name, stralloc *path) {
  static const char per_queue[] = ".queueN";
  size_t n = strlen(name);
  const char *queue, *slash;

  if (!n) return 0;
  if (name[0] == '/' || name[0] == '.') return stralloc_copys(path, name) ? 1 : -1;
  if (!paths_file(PATH_CONTROL, name, path)) return -1;
  if (n < sizeof per_queue || strcmp(name + n - sizeof per_queue + 1, per_queue)) return 1;
  queue = env_trusted("QUEUEDIR");
  slash = queue ? strrchr(queue, '/') : 0;
  if (!slash || !slash[1]) return 0;
  stralloc_cut(path, path->len - (sizeof per_queue - 2)); /* the dot stays */
  return stralloc_cats(path, slash + 1) ? 1 : -1;
}

/* --- names in the control directory ---
 *
 * Most settings have no file. One look at the directory tells which cannot have one, and spares
 * a system call for each: a Bloom filter, so that what is not in it is not there. Some file
 * systems hide a name from whoever reads the directory while another is renamed to it: a
 * directory that has changed lately, or meanwhile, is not gone by. */

#define NAMES_BITS 2048
#define SETTLED_SECONDS 2

struct conf_names {
  uint64_t bits[NAMES_BITS / 64];
};

static size_t name_bit(const char *name) {
  uint64_t h = FILE_STAMP;

  for (; *name; ++name) h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
  return (size_t)(h >> 40) % NAMES_BITS;
}

/* 1, or 0 when the directory does not tell. */
static int read_dir(DIR *d, struct conf_names *names) {
  const struct dirent *entry;
  struct stat before, after;

  memset(names, 0, sizeof *names);
  if (fstat(dirfd(d), &before) == -1 || labs((long)(wall_now() - before.st_mtim.tv_sec)) < SETTLED_SECONDS) return 0;
  errno = 0;
  while ((entry = readdir(d)) != 0) {
    size_t bit = name_bit(entry->d_name);

    names->bits[bit / 64] |= UINT64_C(1) << bit % 64;
  }
  if (errno || fstat(dirfd(d), &after) == -1) return 0;
  return before.st_mtim.tv_sec == after.st_mtim.tv_sec && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec;
}

static int read_names(struct conf_names *names) {
  stralloc path = STRALLOC_INIT;
  DIR *d = paths_get(PATH_CONTROL, &path) ? opendir(path.s) : 0;
  int r = d ? read_dir(d, names) : 0;

  if (d) closedir(d);
  stralloc_free(&path);
  return r;
}

/* name is what the setting calls its file, path where that is. */
static int may_be_there(const struct conf *c, const char *name, const char *path) {
  const char *last = strrchr(path, '/');
  size_t bit;

  if (!c->names || !last || name[0] == '.' || strchr(name, '/')) return 1;
  bit = name_bit(last + 1);
  return c->names->bits[bit / 64] >> bit % 64 & 1;
}

/* The path of the next of "a,b": 1, 0 when there are no more, -1 no memory. */
static int next_list(const char **names, stralloc *path) {
  size_t n = bytes_chr(*names, strlen(*names), ',');
  stralloc name = STRALLOC_INIT;
  int r = 0;

  if (n) r = stralloc_copyb(&name, *names, n) ? find_file(name.s, path) : -1;
  *names += n + ((*names)[n] == ',');
  stralloc_free(&name);
  return r;
}

static int is_there(const struct conf *c, const char *names, const char *path) {
  return may_be_there(c, names, path) && (access(path, F_OK) == 0 || errno != ENOENT);
}

/* A list is set when its file or the database beside it is there; named: by a variable. */
static int find_list(const struct conf *c, struct conf_value *v, const char *names, int named, struct strerr *e) {
  const char *all = names;
  stralloc cdb = STRALLOC_INIT;
  int r = 1;

  while (r == 1 && !v->set && (r = next_list(&names, &v->text)) == 1) {
    r = stralloc_copy(&cdb, &v->text) && stralloc_cats(&cdb, CONF_LIST_CDB) ? 1 : -1;
    if (r == 1) v->set = is_there(c, all, v->text.s) || is_there(c, all, cdb.s);
  }
  stralloc_free(&cdb);
  if (!v->set) stralloc_cut(&v->text, 0);
  if (r != -1) r = stralloc_copys(&v->where, v->set ? v->text.s : "default") ? 0 : -1;
  v->origin = !v->set ? CONF_FROM_DEFAULT : named ? CONF_FROM_VARIABLE : CONF_FROM_FILE;
  return r == -1 ? no_memory(e) : 0;
}

/* Reads the row's file into text: 1, 0 if there is none, -1. */
static int read_file(const struct conf *c, const char *name, struct conf_value *v, stralloc *text, struct strerr *e) {
  int r = find_file(name, &v->where);

  if (r != 1) return r == 0 ? 0 : no_memory(e);
  if (!may_be_there(c, name, v->where.s)) return 0;
  r = file_read(v->where.s, text, CONF_FILE_MAX);
  if (r == -1) return strerr_sys(e, "unable to read ", v->where.s, (char *)0);
  return r;
}

static int load(struct conf *c, enum setting s, struct strerr *e, int depth);

/* The default: text, or "@other". */
static int take_default(struct conf *c, enum setting s, struct strerr *e, int depth) {
  const struct conf_row *row = &conf_rows[s];
  struct conf_value *v = &c->v[s];

  v->origin = CONF_FROM_DEFAULT;
  if (!stralloc_copylit(&v->where, "default")) return no_memory(e);
  if (row->def[0] == '@' && depth < 4)
    for (int i = 0; i < SETTINGS; ++i)
      if (!strcmp(conf_rows[i].id, row->def + 1)) {
        const struct conf_value *from = &c->v[i];

        if (load(c, (enum setting)i, e, depth + 1) == -1) return -1;
        v->number = from->number;
        if (row->type == CONF_LINES)
          return add_lines(&v->lines, stralloc_cstr(&from->text), from->text.len) ? 0 : no_memory(e);
        return stralloc_copy(&v->text, &from->text) ? 0 : no_memory(e);
      }
  if (!*row->def && row->type == CONF_NUMBER) return 0;
  return interpret(v, row->type, row->def, strlen(row->def), e);
}

static int load(struct conf *c, enum setting s, struct strerr *e, int depth) {
  const struct conf_row *row = &conf_rows[s];
  struct conf_value *v = &c->v[s];
  stralloc name = STRALLOC_INIT;
  stralloc text = STRALLOC_INIT;
  const char *var;
  int r;

  if (v->loaded) return 0;
  if (!stralloc_ready(&name, VARIABLE_MAX)) return no_memory(e);
  v->loaded = 1;
  var = row->override == CONF_NONE ? 0 : variable(c->env, row, &name);
  if (row->type == CONF_LIST) {
    r = find_list(c, v, var ? var : row->file, var != 0, e);
  } else if (var && row->override != CONF_NAME && (*var || row->type == CONF_LINE || row->type == CONF_BOOL || row->type == CONF_LINES)) {
    v->origin = CONF_FROM_VARIABLE;
    v->set = 1;
    r = stralloc_copy(&v->where, &name) ? interpret(v, row->type, var, strlen(var), e) : no_memory(e);
  } else {
    /* an empty variable switches the file off */
    r = read_file(c, var && row->override == CONF_NAME ? var : row->file, v, &text, e);
    if (r == 1) {
      v->origin = CONF_FROM_FILE;
      v->set = 1;
      r = interpret(v, row->type, stralloc_cstr(&text), text.len, e);
    } else if (r == 0) {
      r = take_default(c, s, e, depth);
    }
  }
  stralloc_free(&name);
  stralloc_free(&text);
  return r;
}

int conf_load_env(struct conf *c, unsigned readers, const struct env *env, struct strerr *e) {
  struct conf_names names;
  int r = 0;

  memset(c, 0, sizeof *c);
  c->env = env;
  if (read_names(&names)) c->names = &names;
  for (int i = 0; r == 0 && i < SETTINGS; ++i)
    if (conf_rows[i].readers & readers) r = load(c, (enum setting)i, e, 0);
  c->env = 0;
  c->names = 0;
  return r;
}

int conf_load(struct conf *c, unsigned readers, struct strerr *e) {
  return conf_load_env(c, readers, 0, e);
}

int conf_callers_lines(const char *name, struct strlist *out, struct strerr *e) {
  stralloc path = STRALLOC_INIT, text = STRALLOC_INIT;
  int r = 0;

  if (*name == '.' || !file_name_ok(name, strlen(name))) return 0;
  if (!paths_file(PATH_CONTROL, name, &path)) return no_memory(e);
  if (access(path.s, R_OK) == 0) r = file_read(path.s, &text, CONF_FILE_MAX); /* access() asks for the real user */
  if (r == -1) strerr_sys(e, "unable to read ", path.s, (char *)0);
  else if (r == 1 && !add_lines(out, stralloc_cstr(&text), text.len)) r = no_memory(e);
  stralloc_free(&path);
  stralloc_free(&text);
  return r;
}

/* The files of a list: each of its names, and the database beside it. */
static uint64_t stamp_list(uint64_t h, const char *names, stralloc *path) {
  while (next_list(&names, path) == 1) {
    h = file_stamp(h, path->s);
    if (stralloc_cats(path, CONF_LIST_CDB)) h = file_stamp(h, path->s);
  }
  return h;
}

uint64_t conf_stamp(unsigned readers, const struct env *env) {
  uint64_t h = FILE_STAMP;
  stralloc path = STRALLOC_INIT;
  stralloc name = STRALLOC_INIT;

  for (int i = 0; i < SETTINGS; ++i) {
    const struct conf_row *row = &conf_rows[i];
    const char *var = row->override == CONF_NAME ? variable(env, row, &name) : 0;
    const char *file = var && *var ? var : row->file;

    if (!(row->readers & readers) || !*file) continue;
    if (row->type == CONF_LIST) h = stamp_list(h, file, &path);
    else if (find_file(file, &path) == 1) h = file_stamp(h, path.s);
  }
  stralloc_free(&path);
  stralloc_free(&name);
  return h;
}

const char *conf_line(const struct conf *c, enum setting s) {
  return stralloc_cstr(&c->v[s].text);
}

uint64_t conf_number(const struct conf *c, enum setting s) {
  return c->v[s].number;
}

int conf_flag(const struct conf *c, enum setting s) {
  return c->v[s].number != 0;
}

const struct strlist *conf_lines(const struct conf *c, enum setting s) {
  return &c->v[s].lines;
}

int conf_isset(const struct conf *c, enum setting s) {
  return c->v[s].set;
}

void conf_free(struct conf *c) {
  for (int i = 0; i < SETTINGS; ++i) {
    stralloc_free(&c->v[i].where);
    stralloc_free(&c->v[i].text);
    strlist_free(&c->v[i].lines);
  }
  memset(c, 0, sizeof *c);
}

int conf_has(const struct strlist *l, const char *key, size_t n) {
  return strlist_find(l, key, n) >= 0;
}

const char *conf_map(const struct strlist *l, const char *key, size_t n) {
  for (size_t i = 0; i < l->len; ++i) {
    const stralloc *line = &l->item[i];

    if (line->len > n && line->s[n] == ':' && bytes_caseequal(line->s, key, n)) return line->s + n + 1;
  }
  return 0;
}

int conf_has_domain(const struct strlist *l, const char *domain, size_t n) {
  if (conf_has(l, domain, n)) return 1;
  for (size_t i = 0; i < n; ++i)
    if (domain[i] == '.' && conf_has(l, domain + i, n - i)) return 1;
  return 0;
}

const char *conf_map_domain(const struct strlist *l, const char *domain, size_t n) {
  const char *v = conf_map(l, domain, n);

  for (size_t i = 0; !v && i < n; ++i)
    if (domain[i] == '.') v = conf_map(l, domain + i, n - i);
  return v ? v : conf_map(l, "", 0);
}
