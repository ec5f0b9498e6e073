/* userdb_list: see userdb_list.h. */
#include "user/userdb_list.h"

#include <string.h>

#include "base/bytes.h"
#include "user/userdb_part.h"

/* The key with what stands before it: FOUND, NONE, TEMPFAIL. */
static enum userdb_result has(struct userdb *db, const char *list, const char *before, const struct addrkey *key, stralloc *entry,
                              struct strerr *e) {
  enum sql_verdict v;

  if (!stralloc_copys(entry, before) || (key->at && !stralloc_append(entry, '@')) || !stralloc_catb(entry, key->s, key->n))
    return userdb_no_memory(e);
  bytes_lower(entry->s, entry->len);
  v = sql_start(&db->sql, QUERY_list_has, SQL_ARGS(sql_t(list), sql_tn(entry->s, entry->len)), e);
  sql_end(&db->sql, QUERY_list_has);
  return v == SQL_ROW ? USERDB_FOUND : v == SQL_NONE ? USERDB_NONE : USERDB_TEMPFAIL;
}

enum userdb_result userdb_list_find(struct userdb *db, const char *list, enum addrset_subject what, const char *subject, size_t n,
                                    enum addrset_verdict *verdict, struct strerr *e) {
  static const struct {
    const char *before;
    enum addrset_verdict verdict;
  } kinds[] = {{"!", ADDRSET_BACK}, {"", ADDRSET_IN}};
  stralloc entry = STRALLOC_INIT;
  enum userdb_result r = USERDB_NONE;
  struct addrkeys keys;
  struct addrkey key;

  *verdict = ADDRSET_NONE;
  addrkeys_init(&keys, what, subject, n);
  while (r == USERDB_NONE && addrkeys_next(&keys, &key))
    for (size_t i = 0; r == USERDB_NONE && i < sizeof kinds / sizeof *kinds; ++i) {
      r = has(db, list, kinds[i].before, &key, &entry, e);
      if (r == USERDB_FOUND) *verdict = kinds[i].verdict;
    }
  stralloc_free(&entry);
  return r == USERDB_TEMPFAIL ? r : USERDB_FOUND;
}

enum userdb_result userdb_list_add(struct userdb *db, const char *list, const char *entry, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_list_add, SQL_ARGS(sql_t(list), sql_t(entry)), e));
}

enum userdb_result userdb_list_delete(struct userdb *db, const char *list, const char *entry, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_list_delete, SQL_ARGS(sql_t(list), sql_t(entry)), e));
}

static int fill(struct userdb *db, const char *list, const struct strlist *entries, struct strerr *e) {
  if (sql_do(&db->sql, QUERY_list_clear, SQL_ARGS(sql_t(list)), e) != SQL_NONE) return -1;
  for (size_t i = 0; i < entries->len; ++i) {
    enum sql_verdict v = sql_do(&db->sql, QUERY_list_add, SQL_ARGS(sql_t(list), sql_tn(entries->item[i].s, entries->item[i].len)), e);

    if (v != SQL_NONE && v != SQL_EXISTS) return -1; /* a line that stands there twice is no fault */
  }
  return 0;
}

enum userdb_result userdb_list_replace(struct userdb *db, const char *list, const struct strlist *entries, struct strerr *e) {
  if (sql_begin(&db->sql, e) == -1) return USERDB_TEMPFAIL;
  if (fill(db, list, entries, e) == 0 && sql_commit(&db->sql, e) == 0) return USERDB_FOUND;
  sql_rollback(&db->sql);
  return USERDB_TEMPFAIL;
}

enum userdb_result userdb_list_show(struct userdb *db, const char *list, struct strlist *entries, struct strerr *e) {
  const enum query q = QUERY_list_show;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(list)), e);

  for (; v == SQL_ROW; v = sql_next(&db->sql, q, e)) {
    size_t n;
    const char *s = sql_text(&db->sql, q, 0, &n);

    if (strlist_add(entries, s, n)) continue;
    sql_end(&db->sql, q);
    return userdb_no_memory(e);
  }
  if (v != SQL_NONE) return USERDB_TEMPFAIL;
  return entries->len ? USERDB_FOUND : USERDB_NONE;
}
