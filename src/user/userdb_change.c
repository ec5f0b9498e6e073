/* userdb_change: see userdb_change.h. */
#include "user/userdb_change.h"

#include <string.h>

#include "base/now.h"
#include "user/dirhash.h"
#include "user/userdb_part.h"

enum userdb_result userdb_home_next(struct userdb *db, const struct userdb_new_user *n, int only_asked, stralloc *home, struct strerr *e) {
  enum userdb_result r;

  if (sql_begin(&db->sql, e) == -1) return USERDB_TEMPFAIL;
  if (only_asked) {
    r = userdb_choose_home(db, n, home, e);
    sql_rollback(&db->sql);
    return r;
  }
  return userdb_finish(db, userdb_choose_home(db, n, home, e), e);
}

enum userdb_result userdb_placed(struct userdb *db, const char *domain, const char *bucket, uint64_t *n, struct strerr *e) {
  const enum query q = QUERY_dir_control_get;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(domain), sql_t(bucket)), e);

  *n = 0;
  if (v != SQL_ROW) return userdb_result_of(v);
  *n = (uint64_t)sql_int(&db->sql, q, 0);
  return userdb_taken(db, q, 1, e);
}

enum userdb_result userdb_placed_set(struct userdb *db, const char *domain, const char *bucket, uint64_t n, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_dir_control_set, SQL_ARGS(sql_t(domain), sql_t(bucket), sql_i((int64_t)n)), e));
}

/* A statement that may find nothing to change. */
static int done(struct userdb *db, enum query q, const struct sql_value *v, size_t n, struct strerr *e) {
  return sql_do(&db->sql, q, v, n, e) == SQL_NONE;
}

/* Whole lines "&from" and "from" become "&to" and "to". */
static int move_targets(struct userdb *db, const struct userdb_place_of *from, const struct userdb_place_of *to,
                        struct strerr *e) {
  stralloc old = STRALLOC_INIT, new = STRALLOC_INIT;
  int ok = stralloc_catm(&old, "&", from->name, "@", from->domain, (char *)0) &&
           stralloc_catm(&new, "&", to->name, "@", to->domain, (char *)0);

  if (!ok) userdb_no_memory(e);
  ok = ok && done(db, QUERY_valias_target, SQL_ARGS(sql_t(new.s), sql_t(old.s)), e) &&
       done(db, QUERY_valias_target, SQL_ARGS(sql_t(new.s + 1), sql_t(old.s + 1)), e) &&
       done(db, QUERY_valias_delete_target, SQL_ARGS(sql_t(old.s), sql_t(old.s + 1)), e);
  stralloc_free(&old);
  stralloc_free(&new);
  return ok;
}

static int move_paths(struct userdb *db, const char *from, const char *to, struct strerr *e) {
  stralloc old = STRALLOC_INIT, new = STRALLOC_INIT;
  int ok = stralloc_catm(&old, from, "/", (char *)0) && stralloc_catm(&new, to, "/", (char *)0);

  if (!ok) userdb_no_memory(e);
  ok = ok && done(db, QUERY_valias_path, SQL_ARGS(sql_t(new.s), sql_t(old.s), sql_t(old.s), sql_t(old.s)), e);
  stralloc_free(&old);
  stralloc_free(&new);
  return ok;
}

static enum userdb_result move_user(struct userdb *db, const struct userdb_place_of *from, const struct userdb_place_of *to,
                                    struct strerr *e) {
  const struct sql_value args[] = {sql_t(to->name), sql_t(to->domain), sql_t(from->name), sql_t(from->domain)};
  enum userdb_result r = userdb_changed(
      db, sql_do(&db->sql, QUERY_user_rename,
                 SQL_ARGS(args[0], args[1], sql_t(to->home), sql_i(wall_now()), args[2], args[3]), e));

  if (r != USERDB_FOUND) return r;
  if (!move_paths(db, from->home, to->home, e)) return USERDB_TEMPFAIL;
  if (!strcmp(from->name, to->name) && !strcmp(from->domain, to->domain)) return USERDB_FOUND;
  return move_targets(db, from, to, e) && done(db, QUERY_valias_of_user, args, 4, e) &&
                 done(db, QUERY_filters_of_user, args, 4, e) && done(db, QUERY_vlimits_of_user, args, 4, e)
             ? USERDB_FOUND
             : USERDB_TEMPFAIL;
}

enum userdb_result userdb_user_move(struct userdb *db, const struct userdb_place_of *from, const struct userdb_place_of *to,
                                    struct strerr *e) {
  if (sql_begin(&db->sql, e) == -1) return USERDB_TEMPFAIL;
  return userdb_finish(db, move_user(db, from, to, e), e);
}

/* --- domains */

static int move_homes(struct userdb *db, const char *old, const char *new, const char *base, const char *bucket,
                      struct strerr *e) {
  stralloc from = STRALLOC_INIT, to = STRALLOC_INIT;
  int ok = stralloc_catm(&from, base, "/", bucket, "/", old, "/", (char *)0) &&
           stralloc_catm(&to, base, "/", bucket, "/", new, "/", (char *)0);

  if (!ok) userdb_no_memory(e);
  ok = ok && done(db, QUERY_user_homes_move, SQL_ARGS(sql_t(to.s), sql_t(from.s), sql_t(new), sql_t(from.s), sql_t(from.s)), e) &&
       done(db, QUERY_valias_path, SQL_ARGS(sql_t(to.s), sql_t(from.s), sql_t(from.s), sql_t(from.s)), e);
  stralloc_free(&from);
  stralloc_free(&to);
  return ok;
}

static int move_forwards(struct userdb *db, const char *old, const char *new, struct strerr *e) {
  stralloc from = STRALLOC_INIT, to = STRALLOC_INIT;
  int ok = stralloc_catm(&from, "@", old, (char *)0) && stralloc_catm(&to, "@", new, (char *)0);

  if (!ok) userdb_no_memory(e);
  ok = ok && done(db, QUERY_valias_domain, SQL_ARGS(sql_t(from.s), sql_t(to.s), sql_t(from.s), sql_t(from.s)), e);
  stralloc_free(&from);
  stralloc_free(&to);
  return ok;
}

static enum userdb_result rename_domain(struct userdb *db, const char *old, const char *new, const char *dir,
                                        const char *base, struct strerr *e) {
  enum userdb_result r =
      userdb_changed(db, sql_do(&db->sql, QUERY_domain_rename, SQL_ARGS(sql_t(new), sql_t(dir), sql_t(old)), e));

  for (size_t i = 0; r == USERDB_FOUND && i < DIRHASH_BUCKETS; ++i)
    if (!move_homes(db, old, new, base, dirhash_buckets[i], e)) r = USERDB_TEMPFAIL;
  if (r == USERDB_FOUND && !move_forwards(db, old, new, e)) r = USERDB_TEMPFAIL;
  return r;
}

enum userdb_result userdb_domain_rename(struct userdb *db, const char *old, const char *new, const char *dir,
                                        const char *base, struct strerr *e) {
  if (sql_begin(&db->sql, e) == -1) return USERDB_TEMPFAIL;
  return userdb_finish(db, rename_domain(db, old, new, dir, base, e), e);
}
