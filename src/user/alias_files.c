/* alias_files: see alias_files.h.  Files are read, written and removed as the domain's owner, rows
 * as the mail user. */
#include "user/alias_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"

#define BEFORE ".qmail-"
#define BEFORE_LEN (sizeof BEFORE - 1)

/* A conversion under way. */
struct work {
  struct site *s;
  struct userdb_domain d;
  struct identity owner;
  int remove;
  int within;     /* a transaction of the caller's */
  uint64_t there; /* aliases that were there already */
  alias_files_fn told;
  void *ctx;
  struct strerr *e;
  stralloc file, path; /* .qmail-NAME, and with its directory */
  stralloc text;
  struct strlist names, lines;
};

static int no_memory(struct work *w) {
  errno = ENOMEM;
  return strerr_sys(w->e, "unable to convert aliases", (char *)0);
}

static int leave(struct work *w, const char *name, const char *why) {
  w->told(w->ctx, name, why);
  return 0;
}

/* As whom the next step is done. */
static int as(struct work *w, const struct identity *id) {
  return identity_leave(w->e) == -1 ? -1 : identity_enter(id, w->e);
}

static int ends(const char *s, size_t n, const char *suffix) {
  size_t len = strlen(suffix);

  return n > len && !memcmp(s + n - len, suffix, len);
}

/* Null, or why an alias of this name and a file .qmail-NAME are not the same. */
static const char *name_fault(const char *s, size_t n) {
  if (bytes_equal(s, n, "default", 7) || ends(s, n, "-default")) return "it stands for many names";
  if (ends(s, n, "-owner")) return "its file would say who sends the mail of another";
  return name_user_fault(s, n);
}

/* Sets file and path to .qmail-NAME, where from stands as to: 0 or -1. */
static int find_path(struct work *w, const char *name, char from, char to) {
  stralloc_cut(&w->file, 0);
  stralloc_cut(&w->path, 0);
  if (!stralloc_catm(&w->file, BEFORE, name, (char *)0)) return no_memory(w);
  for (size_t i = BEFORE_LEN; i < w->file.len; ++i)
    if (w->file.s[i] == from) w->file.s[i] = to;
  return stralloc_catm(&w->path, stralloc_cstr(&w->d.dir), "/", w->file.s, (char *)0) ? 0 : no_memory(w);
}

/* The domain with its directory, as the domain's row says. */
static int find_domain(struct work *w, const char *domain) {
  stralloc real = STRALLOC_INIT;
  int r = site_open_db(w->s, 0, w->e);
  enum userdb_result v = r == 0 ? userdb_domain_real(&w->s->db, domain, &real, w->e) : USERDB_TEMPFAIL;

  if (v == USERDB_FOUND) v = userdb_domain_get(&w->s->db, real.s, &w->d, w->e);
  if (v == USERDB_NONE) site_permanent(w->e, domain, "there is no such domain");
  w->owner = (struct identity){w->d.uid, w->d.gid};
  stralloc_free(&real);
  return v == USERDB_FOUND ? 0 : -1;
}

/* --- files to rows */

/* Names behind .qmail- in the directory. */
static int list_files(struct work *w) {
  DIR *d = as(w, &w->owner) == -1 ? 0 : opendir(w->d.dir.s);
  struct dirent *entry;
  int r = 0;

  if (!d && errno == ENOENT && w->within) return 0;
  if (!d) return strerr_sys(w->e, "unable to read ", w->d.dir.s, (char *)0);
  while (r == 0 && (errno = 0, entry = readdir(d)) != 0)
    if (!strncmp(entry->d_name, BEFORE, BEFORE_LEN) && entry->d_name[BEFORE_LEN] &&
        !strlist_add(&w->names, entry->d_name + BEFORE_LEN, strlen(entry->d_name) - BEFORE_LEN))
      r = no_memory(w);
  if (r == 0 && errno) r = strerr_sys(w->e, "unable to read ", w->d.dir.s, (char *)0);
  closedir(d);
  return r;
}

/* Its text: 1, 0 with *why, -1. */
static int read_file(struct work *w, const char **why) {
  struct stat st;
  int fd = open(w->path.s, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  int r = 1;

  stralloc_cut(&w->text, 0);
  if (fd == -1 && errno == ELOOP) *why = "it is a symbolic link, as those of mailing lists are";
  else if (fd == -1 && errno == EACCES) *why = "the owner of the domain may not read it";
  else if (fd == -1 || fstat(fd, &st) == -1) r = strerr_sys(w->e, "unable to read ", w->path.s, (char *)0);
  else if (!S_ISREG(st.st_mode)) *why = "it is not a file";
  else if (st.st_mode & 0100) *why = "it is executable, as those of mailing lists are";
  else if (st.st_size > ALIAS_FILE_MAX) *why = "it is too large";
  else if (fd_slurp(fd, &w->text, ALIAS_FILE_MAX) == -1) r = strerr_sys(w->e, "unable to read ", w->path.s, (char *)0);
  fd_close(fd);
  return r == 1 && *why ? 0 : r;
}

/* What there is to say against the file .qmail-NAME: 1 nothing, with lines filled; 0; -1. */
static int examine(struct work *w, const char *alias, const char **why) {
  int r, has_owner;

  *why = name_fault(alias, strlen(alias));
  if (*why) return 0;
  if (!stralloc_cats(&w->path, "-owner")) return no_memory(w);
  has_owner = access(w->path.s, F_OK) == 0;
  stralloc_cut(&w->path, w->path.len - 6);
  if (has_owner) *why = "it has an owner, as a mailing list";
  if (has_owner) return 0;
  r = read_file(w, why);
  if (r == 1) r = alias_lines_parse(w->text.s, w->text.len, w->d.dir.s, &w->lines, why);
  return r == -1 && !w->e->text[0] ? no_memory(w) : r;
}

static int import_file(struct work *w, const char *name) {
  stralloc alias = STRALLOC_INIT;
  const char *why = 0;
  enum userdb_result v;
  int r = -1;

  if (!stralloc_copys(&alias, name)) return no_memory(w);
  for (size_t i = 0; i < alias.len; ++i)
    if (alias.s[i] == '.') why = "a dot in its name is no dot of an alias: a colon would be";
    else if (alias.s[i] == ':') alias.s[i] = '.';
  if (find_path(w, name, 0, 0) == 0 && as(w, &w->owner) == 0) r = why ? 0 : examine(w, alias.s, &why);
  if (r == 1 && as(w, &w->s->mail) == -1) r = -1;
  if (r == 1) {
    int there = 0;

    v = w->within ? userdb_alias_take_more(&w->s->db, alias.s, w->d.domain.s, &w->lines, &there, w->e)
                  : userdb_alias_take(&w->s->db, alias.s, w->d.domain.s, &w->lines, w->e);
    w->there += there && v == USERDB_FOUND;
    r = v == USERDB_TEMPFAIL || v == USERDB_NONE ? -1 : v == USERDB_FOUND;
    if (r == 0) why = "there is an alias of that name with other lines";
  }
  if (r == 1 && w->remove) r = as(w, &w->owner) == 0 && unlink(w->path.s) == 0 ? 1 : strerr_sys(w->e, "unable to remove ", w->path.s, (char *)0);
  stralloc_free(&alias);
  return r == -1 ? -1 : leave(w, w->file.s, why);
}

/* What a program that was killed was about to write: no address leads to a name with a dot. */
static int is_left_over(const stralloc *name) {
  return ends(name->s, name->len, ".tmp");
}

static int import(struct work *w) {
  int r = list_files(w);

  for (size_t i = 0; r == 0 && i < w->names.len; ++i)
    if (strcmp(w->names.item[i].s, "default") != 0 && !is_left_over(&w->names.item[i])) r = import_file(w, w->names.item[i].s);
  return r;
}

/* --- rows to files */

/* The names of aliases, each once: pairs come in their order. */
static int list_aliases(struct work *w) {
  struct strlist pairs = {0};
  const stralloc *last = 0;
  int r = userdb_alias_list(&w->s->db, w->d.domain.s, &pairs, w->e) == USERDB_TEMPFAIL ? -1 : 0;

  for (size_t i = 0; r == 0 && i + 1 < pairs.len; i += 2) {
    const stralloc *name = &pairs.item[i];

    if (last && bytes_equal(last->s, last->len, name->s, name->len)) continue;
    last = name;
    if (!strlist_add(&w->names, name->s, name->len)) r = no_memory(w);
  }
  strlist_free(&pairs);
  return r;
}

/* 1 it is there now, 0 with *why, -1. */
static int write_file(struct work *w, const char **why) {
  stralloc there = STRALLOC_INIT;
  int has = access(w->path.s, F_OK) == 0, r = 1;

  if (has && file_read(w->path.s, &there, ALIAS_FILE_MAX) != 1) r = strerr_sys(w->e, "unable to read ", w->path.s, (char *)0);
  else if (has && !bytes_equal(there.s, there.len, w->text.s, w->text.len)) *why = "there is a file of that name with other lines";
  else if (!has && file_replace(w->path.s, w->text.s, w->text.len, 0600) == -1) r = strerr_sys(w->e, "unable to write ", w->path.s, (char *)0);
  stralloc_free(&there);
  return r == 1 && *why ? 0 : r;
}

static int export_alias(struct work *w, const char *alias) {
  const char *why = name_fault(alias, strlen(alias));
  int r = why ? 0 : 1;

  if (r == 1 && as(w, &w->s->mail) == -1) r = -1;
  if (r == 1 && userdb_alias_get(&w->s->db, alias, w->d.domain.s, &w->lines, w->e) != USERDB_FOUND) r = -1;
  if (r == 1 && !alias_lines_format(&w->lines, &w->text)) r = no_memory(w);
  if (r == 1 && (find_path(w, alias, '.', ':') == -1 || as(w, &w->owner) == -1)) r = -1;
  if (r == 1) r = write_file(w, &why);
  if (r == 1 && w->remove) {
    if (as(w, &w->s->mail) == -1 || userdb_alias_delete(&w->s->db, alias, w->d.domain.s, 0, w->e) == USERDB_TEMPFAIL) r = -1;
  }
  return r == -1 ? -1 : leave(w, alias, why);
}

static int export(struct work *w) {
  int r = list_aliases(w);

  for (size_t i = 0; r == 0 && i < w->names.len; ++i) r = export_alias(w, w->names.item[i].s);
  return r;
}

/* --- both */

static void free_work(struct work *w) {
  userdb_domain_free(&w->d);
  stralloc_free(&w->file);
  stralloc_free(&w->path);
  stralloc_free(&w->text);
  strlist_free(&w->names);
  strlist_free(&w->lines);
}

static int convert(struct work *w, const char *domain, int (*fn)(struct work *)) {
  int lock, r;

  w->e->text[0] = 0;
  lock = site_lock(w->e);
  r = lock == -1 ? -1 : find_domain(w, domain);
  if (r == 0) r = fn(w);
  r = identity_back(r, w->e);
  fd_close(lock);
  free_work(w);
  return r;
}

int alias_files_take(struct site *s, const char *domain, alias_files_fn told, void *ctx, uint64_t *there, struct strerr *e) {
  struct work w = {.s = s, .within = 1, .told = told, .ctx = ctx, .e = e};
  int r = userdb_domain_get(&s->db, domain, &w.d, e) == USERDB_FOUND ? 0 : -1;

  e->text[0] = 0;
  w.owner = (struct identity){w.d.uid, w.d.gid};
  if (r == 0) r = import(&w);
  if (as(&w, &s->mail) == -1) r = -1;
  *there = w.there;
  free_work(&w);
  return r;
}

int alias_files_import(struct site *s, const char *domain, int remove, alias_files_fn told, void *ctx, struct strerr *e) {
  struct work w = {.s = s, .remove = remove, .told = told, .ctx = ctx, .e = e};

  return convert(&w, domain, import);
}

int alias_files_export(struct site *s, const char *domain, int remove, alias_files_fn told, void *ctx, struct strerr *e) {
  struct work w = {.s = s, .remove = remove, .told = told, .ctx = ctx, .e = e};

  return convert(&w, domain, export);
}
