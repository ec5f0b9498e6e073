/* userdb_totp: see userdb_totp.h. */
#include "user/userdb_totp.h"

#include "base/now.h"
#include "user/userdb_part.h"

enum userdb_result userdb_totp_get(struct userdb *db, const char *name, const char *domain, struct userdb_totp *t, struct strerr *e) {
  const enum query q = QUERY_totp_get;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(name), sql_t(domain)), e);
  int ok = 1;

  if (v == SQL_ROW) {
    ok = userdb_column(db, q, 0, &t->secret);
    t->created = sql_int(&db->sql, q, 1);
    t->step = sql_int(&db->sql, q, 2);
    return userdb_taken(db, q, ok, e);
  }
  sql_end(&db->sql, q);
  return userdb_result_of(v);
}

enum userdb_result userdb_totp_add(struct userdb *db, const char *name, const char *domain, const char *secret, int64_t step, struct strerr *e) {
  int active, bounce;
  enum userdb_result r = userdb_user_state(db, name, domain, &active, &bounce, e);

  if (r != USERDB_FOUND) return r;
  return userdb_changed(db, sql_do(&db->sql, QUERY_totp_add, SQL_ARGS(sql_t(name), sql_t(domain), sql_t(secret), sql_i(wall_now()), sql_i(step)), e));
}

enum userdb_result userdb_totp_use(struct userdb *db, const char *name, const char *domain, int64_t step, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_totp_use, SQL_ARGS(sql_i(step), sql_t(name), sql_t(domain), sql_i(step)), e));
}

enum userdb_result userdb_totp_delete(struct userdb *db, const char *name, const char *domain, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_totp_delete, SQL_ARGS(sql_t(name), sql_t(domain)), e));
}

void userdb_totp_free(struct userdb_totp *t) {
  stralloc_wipe(&t->secret);
  stralloc_free(&t->secret);
}
