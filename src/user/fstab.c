/* fstab: see fstab.h. */
#include "user/fstab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "conf/paths.h"
#include "user/userdb_part.h"

/* --- rows */

void fstab_free(struct fstab *f) {
  for (size_t i = 0; i < f->len; ++i) {
    stralloc_free(&f->row[i].filesystem);
    stralloc_free(&f->row[i].host);
  }
  free(f->row);
  *f = (struct fstab){0, 0};
}

static int take_row(struct userdb *db, struct fstab *f) {
  const enum query q = QUERY_fstab_list;
  struct fstab_row *grown = reallocarray(f->row, f->len + 1, sizeof *grown), *r;

  if (!grown) return 0;
  f->row = grown;
  r = &f->row[f->len++];
  *r = (struct fstab_row){.online = sql_int(&db->sql, q, 2) != 0,
                          .max_users = sql_int(&db->sql, q, 3),
                          .cur_users = sql_int(&db->sql, q, 4),
                          .max_size = sql_int(&db->sql, q, 5),
                          .cur_size = sql_int(&db->sql, q, 6)};
  return userdb_column(db, q, 0, &r->filesystem) && userdb_column(db, q, 1, &r->host);
}

enum userdb_result fstab_read(struct userdb *db, const char *host, struct fstab *f, struct strerr *e) {
  const enum query q = QUERY_fstab_list;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(host), sql_t(host)), e);
  int ok = 1;

  fstab_free(f);
  for (; ok && v == SQL_ROW; v = ok ? sql_next(&db->sql, q, e) : v) ok = take_row(db, f);
  sql_end(&db->sql, q);
  if (!ok) return userdb_no_memory(e);
  if (v != SQL_NONE) return USERDB_TEMPFAIL;
  return f->len ? USERDB_FOUND : USERDB_NONE;
}

enum userdb_result fstab_add(struct userdb *db, const struct fstab_row *r, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_fstab_add,
                                   SQL_ARGS(sql_t(r->filesystem.s), sql_t(r->host.s), sql_i(r->online), sql_i(r->max_users), sql_i(r->cur_users),
                                            sql_i(r->max_size), sql_i(r->cur_size)),
                                   e));
}

enum userdb_result fstab_set_limits(struct userdb *db, const struct fstab_row *r, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_fstab_change,
                                   SQL_ARGS(sql_i(r->max_users), sql_i(r->max_size), sql_t(r->filesystem.s), sql_t(r->host.s)), e));
}

enum userdb_result fstab_set_online(struct userdb *db, const struct fstab_row *r, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_fstab_status, SQL_ARGS(sql_i(r->online), sql_t(r->filesystem.s), sql_t(r->host.s)), e));
}

enum userdb_result fstab_delete(struct userdb *db, const struct fstab_row *r, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_fstab_delete, SQL_ARGS(sql_t(r->filesystem.s), sql_t(r->host.s)), e));
}

/* --- measuring */

int fstab_free_bytes(const char *path, int64_t *bytes, struct strerr *e) {
  struct statvfs v;
  uint64_t n;

  if (statvfs(path, &v) == -1) return strerr_sys(e, "unable to look at ", path, (char *)0);
  if (__builtin_mul_overflow((uint64_t)v.f_bavail, (uint64_t)v.f_frsize, &n) || n > INT64_MAX) n = INT64_MAX;
  *bytes = (int64_t)n;
  return 0;
}

/* Length of the path without slashes at its end: 0 is the root. */
static size_t length(const stralloc *path) {
  size_t n = path->len;

  while (n && path->s[n - 1] == '/') --n;
  return n;
}

static int is_below(const stralloc *path, const stralloc *above) {
  size_t n = length(above);

  return length(path) > n && !memcmp(path->s, above->s, n) && path->s[n] == '/';
}

void fstab_own_users(struct fstab *f, const int64_t *total) {
  for (size_t i = 0; i < f->len; ++i) f->row[i].cur_users = total[i];
  for (size_t i = 0; i < f->len; ++i) {
    struct fstab_row *nearest = 0;

    for (size_t k = 0; k < f->len; ++k)
      if (is_below(&f->row[i].filesystem, &f->row[k].filesystem) && (!nearest || length(&f->row[k].filesystem) > length(&nearest->filesystem)))
        nearest = &f->row[k];
    if (nearest) nearest->cur_users -= total[i];
  }
}

/* Users whose homes are below the path. */
static int count_users(struct userdb *db, const stralloc *path, int64_t *n, struct strerr *e) {
  const enum query q = QUERY_users_below;
  stralloc below = STRALLOC_INIT;
  enum sql_verdict v;

  if (!stralloc_copyb(&below, path->s, length(path)) || !stralloc_append(&below, '/')) {
    stralloc_free(&below);
    errno = ENOMEM;
    return strerr_sys(e, "unable to count users", (char *)0);
  }
  v = sql_start(&db->sql, q, SQL_ARGS(sql_t(below.s), sql_t(below.s)), e);
  if (v == SQL_ROW) *n = sql_int(&db->sql, q, 0);
  sql_end(&db->sql, q);
  stralloc_free(&below);
  return v == SQL_ROW ? 0 : -1;
}

static int store(struct userdb *db, const struct fstab_row *r, struct strerr *e) {
  enum sql_verdict v = sql_do(&db->sql, QUERY_fstab_usage, SQL_ARGS(sql_i(r->cur_users), sql_i(r->cur_size), sql_t(r->filesystem.s), sql_t(r->host.s)), e);

  return v == SQL_NONE ? 0 : -1;
}

int fstab_measure(struct userdb *db, struct fstab *f, struct strerr *e) {
  int64_t *total = calloc(f->len + 1, sizeof *total);
  int r = total ? 0 : strerr_sys(e, "unable to count users", (char *)0);

  for (size_t i = 0; r == 0 && i < f->len; ++i) r = count_users(db, &f->row[i].filesystem, &total[i], e);
  if (r == 0) fstab_own_users(f, total);
  for (size_t i = 0; r == 0 && i < f->len; ++i) {
    struct fstab_row *w = &f->row[i];

    if (w->online && fstab_free_bytes(w->filesystem.s, &w->cur_size, e) == -1) w->cur_size = 0;
    r = store(db, w, e);
  }
  free(total);
  return r;
}

static double load_of(const struct fstab_row *r) {
  return (double)r->cur_users * 1048576 / (double)r->cur_size;
}

const struct fstab_row *fstab_choose(const struct fstab *f) {
  const struct fstab_row *best = 0;

  for (size_t i = 0; i < f->len; ++i) {
    const struct fstab_row *r = &f->row[i];

    if (!r->online || r->cur_size <= 0 || (r->max_users > 0 && r->cur_users >= r->max_users)) continue;
    /* of equals, empty ones say, that with the most room */
    if (!best || load_of(r) < load_of(best) || (!(load_of(r) > load_of(best)) && r->cur_size > best->cur_size)) best = r;
  }
  return best;
}

/* --- the next one */

static int write_choice(const struct site *s, const struct fstab_row *chosen, struct strerr *e) {
  stralloc path = STRALLOC_INIT, text = STRALLOC_INIT;
  int as_mail = geteuid() != getuid(), r = -1;
  struct strerr back;

  errno = ENOMEM;
  if (paths_file(PATH_CONTROL, FSTAB_FILE, &path) && stralloc_catm(&text, chosen->filesystem.s, "\n", (char *)0) && identity_leave(e) == 0)
    r = file_replace(path.s, text.s, text.len, 0644);
  if (r == -1) strerr_sys(e, "unable to write ", stralloc_cstr(&path), (char *)0);
  if (as_mail && identity_enter(&s->mail, &back) == -1) {
    *e = back;
    r = -1;
  }
  stralloc_free(&path);
  stralloc_free(&text);
  return r;
}

int fstab_balance(struct site *s, struct fstab *f, const struct fstab_row **chosen, struct strerr *e) {
  enum userdb_result v = fstab_read(&s->db, FSTAB_HERE, f, e);

  if (v == USERDB_NONE) return site_permanent(e, "fstab", "there are no file systems of this host");
  if (v != USERDB_FOUND || fstab_measure(&s->db, f, e) == -1) return -1;
  *chosen = fstab_choose(f);
  if (!*chosen) return site_permanent(e, "fstab", "no file system of this host is online and has room");
  return write_choice(s, *chosen, e);
}
