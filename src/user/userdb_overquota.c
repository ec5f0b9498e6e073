/* userdb_overquota: see userdb_overquota.h. */
#include "user/userdb_overquota.h"

#include "base/now.h"
#include "user/userdb_part.h"

enum userdb_result userdb_overquota_get(struct userdb *db, const char *name, const char *domain, int64_t *at, struct strerr *e) {
  const enum query q = QUERY_userquota_get;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(name), sql_t(domain)), e);
  enum userdb_result r;

  if (v != SQL_ROW) return userdb_result_of(v);
  r = sql_int(&db->sql, q, 0) > 0 ? USERDB_FOUND : USERDB_NONE;
  *at = sql_int(&db->sql, q, 1);
  sql_end(&db->sql, q);
  return r;
}

static enum userdb_result write_row(struct userdb *db, const char *name, const char *domain, int64_t bytes, struct strerr *e) {
  const enum sql_verdict v = sql_do(&db->sql, QUERY_userquota_set, SQL_ARGS(sql_t(name), sql_t(domain), sql_i(bytes), sql_i(wall_now())), e);

  return v == SQL_NONE ? USERDB_FOUND : USERDB_TEMPFAIL;
}

#define AGAIN_SECONDS 60 /* the same is not written more often */

static enum userdb_result set(struct userdb *db, const char *name, const char *domain, int64_t bytes, struct strerr *e) {
  int active, flag;
  int64_t at;
  enum userdb_result r = userdb_user_state(db, name, domain, &active, &flag, e), ours;

  if (r != USERDB_FOUND) return r;
  ours = userdb_overquota_get(db, name, domain, &at, e);
  if (ours == USERDB_TEMPFAIL || ours == USERDB_EXISTS) return USERDB_TEMPFAIL;
  if (flag ? ours == USERDB_NONE : !bytes) return USERDB_NONE;
  if (flag && bytes && wall_now() - at < AGAIN_SECONDS && wall_now() >= at) return USERDB_NONE;
  if (flag != (bytes > 0))
    r = userdb_changed(db, sql_do(&db->sql, QUERY_user_bounce, SQL_ARGS(sql_i(bytes > 0), sql_i(wall_now()), sql_t(name), sql_t(domain)), e));
  return r == USERDB_FOUND ? write_row(db, name, domain, bytes, e) : r;
}

enum userdb_result userdb_overquota_set(struct userdb *db, const char *name, const char *domain, int64_t bytes, struct strerr *e) {
  if (sql_begin(&db->sql, e) == -1) return USERDB_TEMPFAIL;
  return userdb_finish(db, set(db, name, domain, bytes, e), e);
}

enum userdb_result userdb_overquota_forget(struct userdb *db, const char *name, const char *domain, struct strerr *e) {
  int64_t at;
  const enum userdb_result r = userdb_overquota_get(db, name, domain, &at, e);

  if (r == USERDB_NONE) return USERDB_FOUND;
  return r == USERDB_FOUND ? write_row(db, name, domain, 0, e) : USERDB_TEMPFAIL;
}
