/* userdb_map: see userdb_map.h. */
#include "user/userdb_map.h"

#include "user/userdb_part.h"

/* --- ip_alias_map */

enum userdb_result userdb_ipmap_get(struct userdb *db, const char *ip, stralloc *domain, struct strerr *e) {
  const enum query q = QUERY_ipmap_get;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(ip)), e);

  return v == SQL_ROW ? userdb_taken(db, q, userdb_column(db, q, 0, domain), e) : userdb_result_of(v);
}

enum userdb_result userdb_ipmap_list(struct userdb *db, struct strlist *pairs, struct strerr *e) {
  return userdb_collect(db, QUERY_ipmap_list, sql_start(&db->sql, QUERY_ipmap_list, 0, 0, e), 2, pairs, e);
}

/* One of the statements that have an address and a domain, with the real one. */
static enum userdb_result change_ipmap(struct userdb *db, enum query q, int domain_first, const char *ip, const char *domain, struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  enum userdb_result r = userdb_domain_real(db, domain, &real, e);

  if (r == USERDB_FOUND) {
    const struct sql_value a = sql_t(domain_first ? real.s : ip), b = sql_t(domain_first ? ip : real.s);

    r = userdb_changed(db, sql_do(&db->sql, q, SQL_ARGS(a, b), e));
  }
  stralloc_free(&real);
  return r;
}

enum userdb_result userdb_ipmap_add(struct userdb *db, const char *ip, const char *domain, struct strerr *e) {
  return change_ipmap(db, QUERY_ipmap_add, 0, ip, domain, e);
}

enum userdb_result userdb_ipmap_change(struct userdb *db, const char *ip, const char *domain, struct strerr *e) {
  return change_ipmap(db, QUERY_ipmap_change, 1, ip, domain, e);
}

enum userdb_result userdb_ipmap_delete(struct userdb *db, const char *ip, const char *domain, struct strerr *e) {
  return change_ipmap(db, QUERY_ipmap_delete, 0, ip, domain, e);
}

/* --- atrn_map */

enum userdb_result userdb_atrn_show(struct userdb *db, const char *user, const char *domain, struct strlist *triples, struct strerr *e) {
  const enum query q = QUERY_atrn_show;
  stralloc real = STRALLOC_INIT;
  enum userdb_result r = *domain ? userdb_domain_real(db, domain, &real, e) : USERDB_FOUND;

  if (r == USERDB_FOUND) {
    const char *d = stralloc_cstr(&real);

    r = userdb_collect(db, q, sql_start(&db->sql, q, SQL_ARGS(sql_t(user), sql_t(user), sql_t(d), sql_t(d)), e), 3, triples, e);
  }
  stralloc_free(&real);
  return r;
}

enum userdb_result userdb_atrn_add(struct userdb *db, const char *user, const char *domain, const char *list, struct strerr *e) {
  struct userdb_user u = {0};
  enum userdb_result r = userdb_user_get(db, user, domain, &u, e);

  if (r == USERDB_FOUND) r = userdb_changed(db, sql_do(&db->sql, QUERY_atrn_add, SQL_ARGS(sql_t(u.name.s), sql_t(u.domain.s), sql_t(list)), e));
  userdb_user_free(&u);
  return r;
}

enum userdb_result userdb_atrn_change(struct userdb *db, const char *user, const char *domain, const char *old, const char *list,
                                      struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  enum userdb_result r = userdb_domain_real(db, domain, &real, e);

  if (r == USERDB_FOUND)
    r = userdb_changed(db, sql_do(&db->sql, QUERY_atrn_change, SQL_ARGS(sql_t(list), sql_t(user), sql_t(real.s), sql_t(old)), e));
  stralloc_free(&real);
  return r;
}

enum userdb_result userdb_atrn_delete(struct userdb *db, const char *user, const char *domain, const char *list, struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  enum userdb_result r = userdb_domain_real(db, domain, &real, e);

  if (r == USERDB_FOUND) r = userdb_changed(db, sql_do(&db->sql, QUERY_atrn_delete, SQL_ARGS(sql_t(user), sql_t(real.s), sql_t(list)), e));
  stralloc_free(&real);
  return r;
}
