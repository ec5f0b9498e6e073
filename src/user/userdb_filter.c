/* userdb_filter: see userdb_filter.h. */
#include "user/userdb_filter.h"

#include "user/userdb_part.h"

/* The columns that say what the rule is, from this one on. */
static void read_rule(const struct sql *s, enum query q, unsigned column, struct userdb_filter *f) {
  int64_t how = sql_int(s, q, column + 1);
  size_t n;

  f->header = sql_text(s, q, column, &n);
  f->comparison = how >= 0 && how < FILTER_COMPARISONS ? (enum filter_comparison)how : FILTER_EQUALS;
  f->keyword = sql_text(s, q, column + 2, &n);
  f->folder = sql_text(s, q, column + 3, &n);
  f->action = sql_text(s, q, column + 4, &n);
}

enum userdb_result userdb_filter_each(struct userdb *db, const char *name, const char *domain, userdb_filter_fn fn, void *ctx, struct strerr *e) {
  const enum query q = QUERY_filter_list;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(name), sql_t(domain), sql_t(domain)), e);
  int any = 0;
  size_t n;

  for (; v == SQL_ROW; v = sql_next(&db->sql, q, e)) {
    struct userdb_filter f = {.number = sql_int(&db->sql, q, 0), .name = sql_text(&db->sql, q, 1, &n)};

    any = 1;
    read_rule(&db->sql, q, 2, &f);
    if (fn(ctx, &f)) break;
  }
  sql_end(&db->sql, q);
  if (v == SQL_TEMPFAIL || v == SQL_EXISTS) return USERDB_TEMPFAIL;
  return any ? USERDB_FOUND : USERDB_NONE;
}

enum userdb_result userdb_filter_all(struct userdb *db, const char *name, const char *domain, userdb_filter_all_fn fn, void *ctx, struct strerr *e) {
  const enum query q = QUERY_filter_all;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(name), sql_t(domain)), e);
  int any = 0;
  size_t n;

  for (; v == SQL_ROW; v = sql_next(&db->sql, q, e)) {
    struct userdb_filter f = {.name = ""};

    any = 1;
    read_rule(&db->sql, q, 1, &f);
    if (fn(ctx, sql_text(&db->sql, q, 0, &n), &f)) break;
  }
  sql_end(&db->sql, q);
  if (v == SQL_TEMPFAIL || v == SQL_EXISTS) return USERDB_TEMPFAIL;
  return any ? USERDB_FOUND : USERDB_NONE;
}

/* The number behind the last one, and how many there are. */
static int next_number(struct userdb *db, const char *name, const char *domain, int64_t *next, int64_t *count, struct strerr *e) {
  const enum query q = QUERY_filter_next;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(name), sql_t(domain)), e);

  if (v == SQL_ROW) {
    *next = sql_int(&db->sql, q, 0) + 1;
    *count = sql_int(&db->sql, q, 1);
  }
  sql_end(&db->sql, q);
  return v == SQL_ROW ? 0 : -1;
}

static enum userdb_result add(struct userdb *db, const char *name, const char *domain, struct userdb_filter *f, struct strerr *e) {
  int64_t count;

  if (next_number(db, name, domain, &f->number, &count, e) == -1) return USERDB_TEMPFAIL;
  if (count >= FILTER_RULES_MAX) return USERDB_NONE;
  return userdb_changed(db, sql_do(&db->sql, QUERY_filter_add,
                            SQL_ARGS(sql_t(name), sql_t(domain), sql_i(f->number), sql_t(f->name), sql_t(f->header), sql_i(f->comparison), sql_t(f->keyword),
                                     sql_t(f->folder), sql_t(f->action)),
                            e));
}

enum userdb_result userdb_filter_add(struct userdb *db, const char *name, const char *domain, struct userdb_filter *f, struct strerr *e) {
  enum userdb_result r;

  if (sql_begin(&db->sql, e) == -1) return USERDB_TEMPFAIL;
  r = add(db, name, domain, f, e);
  if (r == USERDB_FOUND && sql_commit(&db->sql, e) == -1) r = USERDB_TEMPFAIL;
  sql_rollback(&db->sql); /* after a commit there is nothing to take back */
  return r;
}

enum userdb_result userdb_filter_change(struct userdb *db, const char *name, const char *domain, const struct userdb_filter *f, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_filter_change,
                            SQL_ARGS(sql_t(f->name), sql_t(f->header), sql_i(f->comparison), sql_t(f->keyword), sql_t(f->folder), sql_t(f->action), sql_t(name),
                                     sql_t(domain), sql_i(f->number)),
                            e));
}

enum userdb_result userdb_filter_delete(struct userdb *db, const char *name, const char *domain, int64_t number, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_filter_delete, SQL_ARGS(sql_t(name), sql_t(domain), sql_i(number)), e));
}
