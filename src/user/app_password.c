/* app_password: see app_password.h. */
#include "user/app_password.h"

#include <string.h>

#include "base/now.h"
#include "crypt/digest.h"
#include "crypt/password.h"
#include "user/userdb_part.h"

#define USED_SECONDS 3600 /* uses closer together are recorded once */

/* What is kept of it. */
static int keep(const char *password, stralloc *hash) {
  stralloc_cut(hash, 0);
  return digest_sha256_hex(password, strlen(password), hash);
}

/* Each with a blank before and behind it, so that one can be found. */
static int with_blanks(const char *services, stralloc *out) {
  return stralloc_copys(out, " ") && stralloc_cats(out, services) && stralloc_append(out, ' ');
}

enum userdb_result app_password_add(struct userdb *db, const char *name, const char *domain, const char *label,
                                    const char *services, stralloc *out, struct strerr *e) {
  stralloc hash = STRALLOC_INIT, list = STRALLOC_INIT;
  enum userdb_result r = USERDB_TEMPFAIL;
  int active, bounce;

  if (password_random(APP_PASSWORD_LETTERS, out, e) == -1) return USERDB_TEMPFAIL;
  if (!keep(out->s, &hash) || !with_blanks(services, &list)) r = userdb_no_memory(e);
  else r = userdb_user_state(db, name, domain, &active, &bounce, e);
  if (r == USERDB_FOUND)
    r = userdb_changed(db, sql_do(&db->sql, QUERY_app_password_add,
                                  SQL_ARGS(sql_t(name), sql_t(domain), sql_t(label), sql_t(hash.s), sql_t(list.s), sql_i(wall_now())), e));
  stralloc_free(&hash);
  stralloc_free(&list);
  return r;
}

enum userdb_result app_password_delete(struct userdb *db, const char *name, const char *domain, const char *label,
                                       struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_app_password_delete, SQL_ARGS(sql_t(name), sql_t(domain), sql_t(label)), e));
}

/* Does the list of services of the row before us have this one?  1, 0 or -1. */
static int serves(struct userdb *db, const char *service, stralloc *label) {
  const enum query q = QUERY_app_password_find;
  stralloc word = STRALLOC_INIT;
  size_t n;
  const char *text = sql_text(&db->sql, q, 0, &n);
  int r = stralloc_copyb(label, text, n) && with_blanks(service, &word) ? 0 : -1;

  if (r == 0) r = strstr(sql_text(&db->sql, q, 1, &n), word.s) != 0;
  stralloc_free(&word);
  return r;
}

enum userdb_result app_password_check(struct userdb *db, const char *name, const char *domain, const char *password,
                                      const char *service, struct strerr *e) {
  const enum query q = QUERY_app_password_find;
  stralloc hash = STRALLOC_INIT, label = STRALLOC_INIT;
  struct strerr ignored;
  enum sql_verdict v;
  int64_t now = wall_now();
  int ours = 0;

  if (strlen(password) != APP_PASSWORD_LETTERS) return USERDB_NONE;
  if (!keep(password, &hash)) return userdb_no_memory(e);
  v = sql_start(&db->sql, q, SQL_ARGS(sql_t(name), sql_t(domain), sql_t(hash.s)), e);
  if (v == SQL_ROW) ours = serves(db, service, &label);
  sql_end(&db->sql, q);
  /* That it could not be written keeps nobody out. */
  if (ours == 1)
    (void)!sql_do(&db->sql, QUERY_app_password_used, SQL_ARGS(sql_i(now), sql_t(name), sql_t(domain), sql_t(label.s), sql_i(now - USED_SECONDS)), &ignored);
  stralloc_free(&hash);
  stralloc_free(&label);
  if (ours == -1) return userdb_no_memory(e);
  if (v == SQL_TEMPFAIL || v == SQL_EXISTS) return USERDB_TEMPFAIL;
  return ours ? USERDB_FOUND : USERDB_NONE;
}

enum userdb_result app_password_each(struct userdb *db, const char *name, const char *domain, app_password_fn fn, void *ctx,
                                     struct strerr *e) {
  const enum query q = QUERY_app_password_list;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(name), sql_t(domain)), e);
  int any = 0;

  for (; v == SQL_ROW; v = sql_next(&db->sql, q, e)) {
    size_t n;

    any = 1;
    if (fn(ctx, sql_text(&db->sql, q, 0, &n), sql_text(&db->sql, q, 1, &n), sql_int(&db->sql, q, 2), sql_int(&db->sql, q, 3))) break;
  }
  sql_end(&db->sql, q);
  if (v == SQL_TEMPFAIL || v == SQL_EXISTS) return USERDB_TEMPFAIL;
  return any ? USERDB_FOUND : USERDB_NONE;
}
