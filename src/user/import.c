/* import: see import.h.  What both kinds have in common: the domains, which stand in users/assign, the one
 * transaction, and what follows it. */
#include "user/import.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/now.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "conf/paths.h"
#include "user/assign.h"
#include "user/domain_files.h"
#include "user/import_part.h"
#include "user/site_check.h"
#include "user/vdeliver.h"

#define ASSIGN_MAX (256u << 20)
#define BASE_FILE "/.base_path"
#define BASE_MAX 1024
#define SHOWN_MAX 200 /* bytes of a row's name in a message */

int import_no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to import", (char *)0);
}

/* --- what is told and counted */

/* What stands in a row may have been written by anybody. */
void import_tell(struct import_work *w, const char *table, const char *row, const char *finding, int left) {
  stralloc shown = STRALLOC_INIT;

  if (stralloc_copyb(&shown, row, strnlen(row, SHOWN_MAX)))
    for (size_t i = 0; i < shown.len; ++i)
      if ((unsigned char)shown.s[i] < 32 || shown.s[i] == 127) shown.s[i] = '?';
  w->im->told(w->im->ctx, table, stralloc_cstr(&shown), finding, left);
  stralloc_free(&shown);
}

enum import_outcome import_left(struct import_work *w, const char *table, const char *row, const char *why) {
  import_tell(w, table, row, why, 1);
  return IMPORT_LEFT;
}

enum import_outcome import_outcome(enum sql_verdict v) {
  return v == SQL_NONE ? IMPORT_TAKEN : v == SQL_EXISTS ? IMPORT_THERE : IMPORT_FAILED;
}

int import_count_row(struct import_work *w, enum import_outcome o) {
  switch (o) {
    case IMPORT_TAKEN: ++w->count.taken; return 0;
    case IMPORT_THERE: ++w->count.there; return 0;
    case IMPORT_LEFT:
      ++w->count.left;
      ++w->im->left;
      return 0;
    case IMPORT_FAILED: return -1;
  }
  return -1;
}

void import_count_done(struct import_work *w, const char *table) {
  w->im->counted(w->im->ctx, table, &w->count);
  w->count = (struct import_count){0, 0, 0};
}

static int is_there(enum userdb_result r) {
  return r == USERDB_FOUND ? 1 : r == USERDB_NONE ? 0 : -1;
}

int import_has_domain(struct import_work *w, const char *domain, struct strerr *e) {
  struct userdb_domain d = {0};
  int r = is_there(userdb_domain_get(&w->s->db, domain, &d, e));

  userdb_domain_free(&d);
  return r;
}

int import_has_user(struct import_work *w, const char *name, const char *domain, struct strerr *e) {
  int active, bounce;

  return is_there(userdb_user_state(&w->s->db, name, domain, &active, &bounce, e));
}

/* --- domains */

static struct import_domain *one_more(struct import_work *w) {
  struct import_domain *more = reallocarray(w->domain, w->domains + 1, sizeof *more);

  if (!more) return 0;
  w->domain = more;
  memset(&more[w->domains], 0, sizeof *more);
  return &more[w->domains++];
}

static void free_domain(struct import_domain *d) {
  stralloc_free(&d->name);
  stralloc_free(&d->dir);
  stralloc_free(&d->base);
  stralloc_free(&d->real);
}

/* Where the directory is a symbolic link to that of another domain, this is another name of it.  0 or -1. */
static int find_real(struct import_domain *d, struct strerr *e) {
  char target[PATH_MAX];
  ssize_t n = readlink(d->dir.s, target, sizeof target);
  size_t slash;

  if (n <= 0 || (size_t)n == sizeof target) return 0;
  while (n > 1 && target[n - 1] == '/') --n;
  slash = bytes_rchr(target, (size_t)n, '/');
  slash = slash == (size_t)n ? 0 : slash + 1;
  return stralloc_copyb(&d->real, target + slash, (size_t)n - slash) ? 0 : import_no_memory(e);
}

/* Where its homes are, if not in the usual place. */
static int find_base(struct import_domain *d, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = stralloc_catm(&path, d->dir.s, BASE_FILE, (char *)0) ? file_read(path.s, &d->base, BASE_MAX) : -1;

  if (r == -1 && errno == ENOTDIR) r = 0;
  if (r == -1) strerr_sys(e, "unable to read ", stralloc_cstr(&path), (char *)0);
  stralloc_chomp(&d->base);
  stralloc_free(&path);
  return r == -1 ? -1 : 0;
}

/* "+joe-:joe:1000:..." is a user of this host with his extensions; what has no dot and is a domain runs
 * vdelivermail. */
static int is_domain(const struct import_domain *d, struct strerr *e) {
  stralloc handler = STRALLOC_INIT;
  int filter, r = 1;

  if (bytes_chr(d->name.s, d->name.len, '.') == d->name.len && domain_default_read(d->dir.s, &filter, &handler, e) == -1) r = e->permanent ? 0 : -1;
  stralloc_free(&handler);
  return r;
}

/* A line "+domain-:domain:uid:gid:dir:-::", of vpopmail too "+alias-:domain:...". */
static int take_line(struct import_work *w, const struct assign_line *l, struct strerr *e) {
  const char *s = l->field[ASSIGN_NAME].s;
  size_t n = l->field[ASSIGN_NAME].n;
  struct import_domain *d;
  int named, r;

  if (!l->wild || n < 2 || s[n - 1] != '-' || l->field[ASSIGN_EXT].n || l->field[ASSIGN_DASH].n != 1) return 0;
  --n;
  if (!l->field[ASSIGN_HOME].n || l->field[ASSIGN_HOME].s[0] != '/') return 0;
  named = bytes_equal(l->field[ASSIGN_USER].s, l->field[ASSIGN_USER].n, s, n);
  d = one_more(w);
  if (!d || !stralloc_copyb(&d->name, s, n) || !stralloc_copyb(&d->dir, l->field[ASSIGN_HOME].s, l->field[ASSIGN_HOME].n)) return import_no_memory(e);
  bytes_lower(d->name.s, d->name.len);
  e->permanent = 0;
  r = is_domain(d, e);
  if (r != 1) {
    free_domain(d);
    --w->domains;
    return r;
  }
  if (!scan_u32(l->field[ASSIGN_UID].s, l->field[ASSIGN_UID].n, &d->uid) || !scan_u32(l->field[ASSIGN_GID].s, l->field[ASSIGN_GID].n, &d->gid)) return 0;
  if (!named) return stralloc_copyb(&d->real, l->field[ASSIGN_USER].s, l->field[ASSIGN_USER].n) ? 0 : import_no_memory(e);
  if (find_real(d, e) == -1) return -1;
  return d->real.len ? 0 : find_base(d, e);
}

static int read_domains(struct import_work *w, struct strerr *e) {
  stralloc path = STRALLOC_INIT, text = STRALLOC_INIT;
  struct assign_line l;
  int r = (w->im->assign ? stralloc_copys(&path, w->im->assign) : paths_file(PATH_USERS, "assign", &path)) ? file_read(path.s, &text, ASSIGN_MAX)
                                                                                                              : import_no_memory(e);

  if (r == -1) strerr_sys(e, "unable to read ", stralloc_cstr(&path), (char *)0);
  else if (r == 0) r = site_permanent(e, path.s, "there is no such file, and it says which domains there are");
  for (size_t i = 0, n; r != -1 && i < text.len; i += n + 1) {
    n = bytes_chr(text.s + i, text.len - i, '\n');
    if (assign_parse(text.s + i, n, &l)) r = take_line(w, &l, e);
  }
  if (r != -1 && !w->domains) r = site_permanent(e, path.s, "no virtual domain stands there");
  stralloc_free(&path);
  stralloc_free(&text);
  return r == -1 ? -1 : 0;
}

/* Of a domain that is there: is it this one? */
static enum import_outcome compare_domain(struct import_work *w, const struct import_domain *d, struct strerr *e) {
  struct userdb_domain there = {0};
  enum userdb_result r = userdb_domain_get(&w->s->db, d->name.s, &there, e);
  enum import_outcome o = IMPORT_FAILED;

  if (r == USERDB_FOUND && stralloc_equals(&there.dir, d->dir.s) && there.uid == d->uid && there.gid == d->gid) o = IMPORT_THERE;
  else if (r == USERDB_FOUND) o = import_left(w, "domains", d->name.s, "we have it with another directory or owner, and keep that");
  userdb_domain_free(&there);
  return o;
}

static enum import_outcome take_domain(struct import_work *w, const struct import_domain *d, struct strerr *e) {
  const char *why = name_domain_fault(d->name.s, d->name.len);
  enum sql_verdict v;

  if (!why && !d->uid) why = "it belongs to root";
  if (!why && d->base.len && d->base.s[0] != '/') why = "its .base_path is no absolute path";
  if (!why && (!utf8_valid(d->dir.s, d->dir.len) || !utf8_valid(stralloc_cstr(&d->base), d->base.len))) why = "its directory is not UTF-8";
  if (why) return import_left(w, "domains", d->name.s, why);
  v = sql_do(&w->s->db.sql, QUERY_in_domains,
             SQL_ARGS(sql_t(d->name.s), sql_i(d->uid), sql_i(d->gid), sql_t(d->dir.s), sql_t(stralloc_cstr(&d->base)), sql_i(wall_now())), e);
  return v == SQL_EXISTS ? compare_domain(w, d, e) : import_outcome(v);
}

/* Another name of a domain; also of the rows of table aliasdomain. */
enum import_outcome import_alias_domain(struct import_work *w, const char *alias, const char *domain, struct strerr *e) {
  const char *why = name_domain_fault(alias, strlen(alias));
  stralloc real = STRALLOC_INIT;
  int has = why ? 1 : import_has_domain(w, domain, e);
  enum import_outcome o = IMPORT_FAILED;
  enum sql_verdict v;

  if (why) return import_left(w, "aliasdomain", alias, why);
  if (has == 0) return import_left(w, "aliasdomain", alias, "it is another name of a domain that there is not");
  if (has == 1) has = import_has_domain(w, alias, e) == 1 ? 2 : 1;
  if (has == 2) return import_left(w, "aliasdomain", alias, "there is a domain of this name");
  if (has == -1) return IMPORT_FAILED;
  v = sql_do(&w->s->db.sql, QUERY_in_aliasdomain, SQL_ARGS(sql_t(alias), sql_t(domain)), e);
  if (v != SQL_EXISTS) return import_outcome(v);
  if (userdb_domain_real(&w->s->db, alias, &real, e) == USERDB_FOUND)
    o = stralloc_equals(&real, domain) ? IMPORT_THERE : import_left(w, "aliasdomain", alias, "we have it as a name of another domain");
  stralloc_free(&real);
  return o;
}

/* Other names last: they refer to domains. */
static int take_domains(struct import_work *w, struct strerr *e) {
  for (size_t i = 0; i < w->domains; ++i)
    if (!w->domain[i].real.len && import_count_row(w, take_domain(w, &w->domain[i], e)) == -1) return -1;
  import_count_done(w, "domains");
  for (size_t i = 0; i < w->domains; ++i)
    if (w->domain[i].real.len && import_count_row(w, import_alias_domain(w, w->domain[i].name.s, w->domain[i].real.s, e)) == -1) return -1;
  import_count_done(w, "alias domains");
  return 0;
}

/* --- what follows, as root */

static int look_at_homes(struct import_work *w, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  struct stat st;

  strlist_sort(&w->homes);
  for (size_t i = 0; i < w->homes.len; ++i) {
    if (i && !strcmp(w->homes.item[i].s, w->homes.item[i - 1].s))
      import_tell(w, "mailboxes", w->homes.item[i].s, "is the home of two users: give one of them another (vmoveuserdir)", 0);
    stralloc_cut(&path, 0);
    if (!stralloc_catm(&path, w->homes.item[i].s, "/Maildir", (char *)0)) return import_no_memory(e);
    if (stat(path.s, &st) == 0 && S_ISDIR(st.st_mode)) {
      ++w->im->homes;
      continue;
    }
    ++w->im->homeless;
    if (w->im->verbose) import_tell(w, "mailboxes", path.s, "is not there: the first delivery makes it", 0);
  }
  stralloc_free(&path);
  return 0;
}

/* .qmail-default runs the other installation's program: ours takes its place, with the same last word. */
static int take_default(struct import_work *w, const struct import_domain *d, struct strerr *e) {
  const struct identity owner = {d->uid, w->s->mail.gid};
  struct domain_default file = {.filter = 0};
  stralloc handler = STRALLOC_INIT;
  struct strerr why = {.permanent = 0};
  int r = domain_default_read(d->dir.s, &file.filter, &handler, &why);

  file.handler = stralloc_cstr(&handler);
  if (r == 0 && vdeliver_action_ok(file.handler)) r = domain_default_write(d->dir.s, &file, &owner, e);
  else if (r == -1 && !why.permanent) *e = why;
  else {
    import_tell(w, "files", d->dir.s, "has no .qmail-default that runs vdelivermail: see what it is to do, then vmoddomain -h", 0);
    r = 0;
  }
  stralloc_free(&handler);
  return r;
}

static void tell_check(void *ctx, const char *object, const char *finding, enum check_outcome outcome) {
  struct import_work *w = ctx;
  stralloc text = STRALLOC_INIT;

  if (outcome == CHECK_MENDED && !w->im->verbose) return;
  if (stralloc_catm(&text, finding, outcome == CHECK_MENDED ? ": mended" : "", (char *)0)) import_tell(w, "files", object, text.s, 0);
  stralloc_free(&text);
}

static int take_files(struct import_work *w, struct strerr *e) {
  for (size_t i = 0; i < w->domains; ++i) {
    struct import_domain *d = &w->domain[i];
    struct site_check c = {.repair = 1, .tell = tell_check, .ctx = w};
    struct stat st;
    int has;

    if (d->real.len) continue;
    has = site_enter_db(w->s, e) == -1 ? -1 : import_has_domain(w, d->name.s, e);
    has = identity_back(has, e);
    if (has == -1) return -1;
    if (has == 0) continue;
    /* the rows are there: what is wrong with one domain's files is no reason to leave the others' */
    if ((stat(d->dir.s, &st) == 0 && take_default(w, d, e) == -1) || site_check_run(w->s, d->name.s, &c, e) == -1) {
      import_tell(w, "files", d->name.s, e->text, 0);
      ++w->im->left;
    }
  }
  return 0;
}

/* --- all of it */

/* As the mail user. */
static int take_rows(struct import_work *w, import_fill_fn fill, void *ctx, struct strerr *e) {
  struct sql *sql = &w->s->db.sql;
  int r = sql_begin(sql, e);

  if (r == 0) r = take_domains(w, e);
  if (r == 0) r = fill(w, ctx, e);
  if (r == 0 && !w->im->dry) r = sql_commit(sql, e);
  sql_rollback(sql); /* after a commit there is nothing to take back */
  progress_clear(w->im->progress);
  return r;
}

static void release(struct import_work *w) {
  for (size_t i = 0; i < w->domains; ++i) free_domain(&w->domain[i]);
  free(w->domain);
  strlist_free(&w->homes);
}

int import_run(struct site *s, struct import *im, import_fill_fn fill, void *ctx, struct strerr *e) {
  struct import_work w = {.s = s, .im = im};
  int lock = -1, r = -1;

  im->left = im->homes = im->homeless = 0;
  if (!password_scheme_find(conf_line(&s->conf, SET_hash_method), &w.scheme)) r = site_permanent(e, "hash_method", "unknown or unsafe");
  else if (read_domains(&w, e) == 0 && (lock = site_lock(e)) != -1) r = site_open_db(s, 1, e);
  if (r == 0) r = take_rows(&w, fill, ctx, e);
  if (lock != -1) r = identity_back(r, e);
  fd_close(lock); /* the checks of files take it themselves */
  if (r == 0) r = look_at_homes(&w, e);
  if (r == 0 && !im->dry && !im->rows_only) r = take_files(&w, e);
  release(&w);
  return r;
}
