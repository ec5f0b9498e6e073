/* userdb_relay: see userdb_relay.h. */
#include "user/userdb_relay.h"

#include <errno.h>

#include "base/now.h"
#include "user/userdb_part.h"

enum userdb_result userdb_relay_set(struct userdb *db, const char *ip, const char *address, int64_t at, struct strerr *e) {
  enum sql_verdict v = sql_do(&db->sql, QUERY_relay_set, SQL_ARGS(sql_t(ip), sql_t(address), sql_i(at)), e);

  return v == SQL_NONE ? USERDB_FOUND : USERDB_TEMPFAIL;
}

enum userdb_result userdb_relay_get(struct userdb *db, const char *ip, uint64_t seconds, stralloc *address, struct strerr *e) {
  const enum query q = QUERY_relay_get;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(ip), sql_i(wall_now() - (int64_t)seconds)), e);
  enum userdb_result r = v == SQL_NONE ? USERDB_NONE : USERDB_TEMPFAIL;

  if (v == SQL_ROW) {
    size_t n;
    const char *s = sql_text(&db->sql, q, 0, &n);

    r = USERDB_FOUND;
    if (!stralloc_copyb(address, s, n)) {
      errno = ENOMEM;
      strerr_sys(e, "unable to use the relay table", (char *)0);
      r = USERDB_TEMPFAIL;
    }
  }
  sql_end(&db->sql, q);
  return r;
}

enum userdb_result userdb_relay_list(struct userdb *db, uint64_t seconds, struct strlist *addresses, struct strerr *e) {
  const enum query q = QUERY_relay_list;

  return userdb_collect(db, q, sql_start(&db->sql, q, SQL_ARGS(sql_i(wall_now() - (int64_t)seconds)), e), 1, addresses, e);
}

enum userdb_result userdb_relay_clear(struct userdb *db, uint64_t seconds, int64_t *n, struct strerr *e) {
  enum sql_verdict v = sql_do(&db->sql, QUERY_relay_clear, SQL_ARGS(sql_i(wall_now() - (int64_t)seconds)), e);

  *n = sql_changes(&db->sql);
  return v == SQL_NONE ? USERDB_FOUND : USERDB_TEMPFAIL;
}
