/* userdb: see userdb.h. */
#include "user/userdb.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/fmt.h"
#include "base/now.h"
#include "conf/paths.h"
#include "user/dirhash.h"
#include "user/userdb_part.h"

#define SECRET_BYTES 32

enum userdb_result userdb_no_memory(struct strerr *e) {
  errno = ENOMEM;
  strerr_sys(e, "unable to use the user database", (char *)0);
  return USERDB_TEMPFAIL;
}

enum userdb_result userdb_result_of(enum sql_verdict v) {
  switch (v) {
    case SQL_ROW: return USERDB_FOUND;
    case SQL_NONE: return USERDB_NONE;
    case SQL_EXISTS: return USERDB_EXISTS;
    case SQL_TEMPFAIL: return USERDB_TEMPFAIL;
  }
  return USERDB_TEMPFAIL;
}

/* Of a statement that changes rows: FOUND when it changed some. */
enum userdb_result userdb_changed(struct userdb *db, enum sql_verdict v) {
  if (v != SQL_NONE) return userdb_result_of(v);
  return sql_changes(&db->sql) ? USERDB_FOUND : USERDB_NONE;
}

int userdb_column(struct userdb *db, enum query q, int i, stralloc *to) {
  size_t n;
  const char *s = sql_text(&db->sql, q, i, &n);

  return stralloc_copyb(to, s, n);
}

/* Ends a query after its row was taken over: ok says whether memory sufficed. */
enum userdb_result userdb_taken(struct userdb *db, enum query q, int ok, struct strerr *e) {
  sql_end(&db->sql, q);
  return ok ? USERDB_FOUND : userdb_no_memory(e);
}

static int create_directory(const char *path, struct strerr *e) {
  stralloc dir = STRALLOC_INIT;
  int r = file_dirname(path, &dir) == -1 ? -1 : file_mkdir(dir.s, 0700);

  if (r == -1) strerr_sys(e, "unable to create ", stralloc_cstr(&dir), (char *)0);
  stralloc_free(&dir);
  return r;
}

int userdb_open(struct userdb *db, const struct userdb_place *place, unsigned flags, struct strerr *e) {
  memset(db, 0, sizeof *db);
  if (place->is_file && flags & SQL_CREATE && create_directory(place->where.s, e) == -1) return -1;
  return sql_open(&db->sql, place->driver, place->where.s, flags, e);
}

void userdb_close(struct userdb *db) {
  sql_close(&db->sql);
}

/* --- domains */

enum userdb_result userdb_domain_get(struct userdb *db, const char *domain, struct userdb_domain *d,
                                     struct strerr *e) {
  const enum query q = QUERY_domain_get;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(domain)), e);

  if (v != SQL_ROW) return userdb_result_of(v);
  d->uid = (uint32_t)sql_int(&db->sql, q, 1);
  d->gid = (uint32_t)sql_int(&db->sql, q, 2);
  d->created = sql_int(&db->sql, q, 5);
  return userdb_taken(db, q, userdb_column(db, q, 0, &d->domain) && userdb_column(db, q, 3, &d->dir) && userdb_column(db, q, 4, &d->base), e);
}

enum userdb_result userdb_domain_real(struct userdb *db, const char *domain, stralloc *real,
                                      struct strerr *e) {
  const enum query q = QUERY_domain_real;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(domain), sql_t(domain)), e);

  return v == SQL_ROW ? userdb_taken(db, q, userdb_column(db, q, 0, real), e) : userdb_result_of(v);
}

enum userdb_result userdb_domain_delete(struct userdb *db, const char *domain, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_domain_delete, SQL_ARGS(sql_t(domain)), e));
}

/* Adds columns 0 to n-1 of every row to a list. */
enum userdb_result userdb_collect(struct userdb *db, enum query q, enum sql_verdict v, int n,
                                  struct strlist *list, struct strerr *e) {
  strlist_clear(list);
  for (; v == SQL_ROW; v = sql_next(&db->sql, q, e))
    for (int i = 0; i < n; ++i) {
      size_t len;
      const char *s = sql_text(&db->sql, q, i, &len);

      if (!strlist_add(list, s, len)) {
        sql_end(&db->sql, q);
        return userdb_no_memory(e);
      }
    }
  if (v != SQL_NONE) return userdb_result_of(v);
  return list->len ? USERDB_FOUND : USERDB_NONE;
}

enum userdb_result userdb_domain_list(struct userdb *db, struct strlist *names, struct strerr *e) {
  return userdb_collect(db, QUERY_domain_list, sql_start(&db->sql, QUERY_domain_list, 0, 0, e), 1, names, e);
}

enum userdb_result userdb_domain_users(struct userdb *db, const char *domain, int64_t *users,
                                       int64_t *active, struct strerr *e) {
  const enum query q = QUERY_domain_users;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(domain)), e);

  if (v != SQL_ROW) return userdb_result_of(v);
  *users = sql_int(&db->sql, q, 0);
  *active = sql_int(&db->sql, q, 1);
  sql_end(&db->sql, q);
  return USERDB_FOUND;
}

enum userdb_result userdb_alias_domain_add(struct userdb *db, const char *alias, const char *domain, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_alias_domain_add, SQL_ARGS(sql_t(alias), sql_t(domain)), e));
}

enum userdb_result userdb_alias_domain_delete(struct userdb *db, const char *alias, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_alias_domain_delete, SQL_ARGS(sql_t(alias)), e));
}

enum userdb_result userdb_alias_domain_list(struct userdb *db, const char *domain, struct strlist *names, struct strerr *e) {
  return userdb_collect(db, QUERY_alias_domain_list, sql_start(&db->sql, QUERY_alias_domain_list, SQL_ARGS(sql_t(domain)), e), 1, names, e);
}

void userdb_domain_free(struct userdb_domain *d) {
  stralloc_free(&d->domain);
  stralloc_free(&d->dir);
  stralloc_free(&d->base);
}

/* --- users */

/* The row of user_get that is before us: 1, or 0 without memory. */
static int take_user(struct userdb *db, struct userdb_user *u) {
  const enum query q = QUERY_user_get;
  const struct sql *s = &db->sql;

  u->quota.bytes = (uint64_t)sql_int(s, q, 5);
  u->quota.count = (uint64_t)sql_int(s, q, 6);
  u->active = sql_int(s, q, 7) != 0;
  u->flags = (uint32_t)sql_int(s, q, 8);
  u->created = sql_int(s, q, 9);
  u->uid = (uint32_t)sql_int(s, q, 10);
  u->gid = (uint32_t)sql_int(s, q, 11);
  return userdb_column(db, q, 0, &u->name) && userdb_column(db, q, 1, &u->domain) && userdb_column(db, q, 2, &u->hash) &&
         userdb_column(db, q, 3, &u->gecos) && userdb_column(db, q, 4, &u->home) && userdb_column(db, q, 12, &u->scram);
}

enum userdb_result userdb_user_get(struct userdb *db, const char *name, const char *domain,
                                   struct userdb_user *u, struct strerr *e) {
  const enum query q = QUERY_user_get;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(name), sql_t(domain), sql_t(domain)), e);

  return v == SQL_ROW ? userdb_taken(db, q, take_user(db, u), e) : userdb_result_of(v);
}

/* The second query runs within the first: one lock on the database, one state of it. */
enum userdb_result userdb_account_get(struct userdb *db, const char *name, const char *domain, struct userdb_user *u,
                                      struct strlist *lines, struct strerr *e) {
  const enum query q = QUERY_user_get;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(name), sql_t(domain), sql_t(domain)), e);
  enum userdb_result r;

  if (v != SQL_ROW) return userdb_result_of(v);
  r = take_user(db, u) ? userdb_alias_get(db, name, domain, lines, e) : userdb_no_memory(e);
  sql_end(&db->sql, q);
  return r == USERDB_NONE ? USERDB_FOUND : r;
}

enum userdb_result userdb_user_state(struct userdb *db, const char *name, const char *domain,
                                     int *active, int *bounce, struct strerr *e) {
  const enum query q = QUERY_user_state;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(name), sql_t(domain), sql_t(domain)), e);

  if (v != SQL_ROW) return userdb_result_of(v);
  *active = sql_int(&db->sql, q, 0) != 0;
  *bounce = sql_int(&db->sql, q, 1) != 0;
  sql_end(&db->sql, q);
  return USERDB_FOUND;
}

/* The home of the next user of this bucket. */
enum userdb_result userdb_choose_home(struct userdb *db, const struct userdb_new_user *n, stralloc *home,
                                      struct strerr *e) {
  const enum query q = QUERY_dir_control_get;
  const char *bucket = dirhash_bucket(n->name);
  enum sql_verdict v =
      sql_do(&db->sql, QUERY_dir_control_next, SQL_ARGS(sql_t(n->domain), sql_t(bucket)), e);

  if (v == SQL_EXISTS) return USERDB_NONE; /* the parent row, the domain, is missing */
  if (v != SQL_NONE) return userdb_result_of(v);
  v = sql_start(&db->sql, q, SQL_ARGS(sql_t(n->domain), sql_t(bucket)), e);
  if (v != SQL_ROW) return userdb_result_of(v);
  return userdb_taken(db, q,
               dirhash_home(home, n->base, n->domain, n->name, (uint64_t)sql_int(&db->sql, q, 0), n->per_level),
               e);
}

enum userdb_result userdb_domain_lock(struct userdb *db, const char *domain, struct strerr *e) {
  enum sql_verdict v = sql_start(&db->sql, QUERY_domain_lock, SQL_ARGS(sql_t(domain)), e);

  sql_end(&db->sql, QUERY_domain_lock);
  return userdb_result_of(v);
}

/* May the domain have another user?  Asked within the transaction that adds it. */
static enum userdb_result room(struct userdb *db, const struct userdb_new_user *n, struct strerr *e) {
  int64_t users, active;
  enum userdb_result r = userdb_domain_lock(db, n->domain, e);

  if (r == USERDB_FOUND) r = userdb_domain_users(db, n->domain, &users, &active, e);
  if (r != USERDB_FOUND || users < *n->max_users) return r;
  strerr_set(e, n->domain, ": the domain has as many users as its limits allow", (char *)0);
  e->permanent = 1;
  return USERDB_TEMPFAIL;
}

enum userdb_result userdb_user_add_more(struct userdb *db, const struct userdb_new_user *n, stralloc *home,
                                        struct strerr *e) {
  enum userdb_result r = n->max_users ? room(db, n, e) : USERDB_FOUND;
  int64_t now = wall_now();

  if (r == USERDB_FOUND && !n->home) r = userdb_choose_home(db, n, home, e);
  if (r == USERDB_FOUND && n->home && !stralloc_copys(home, n->home)) r = userdb_no_memory(e);
  if (r != USERDB_FOUND) return r;
  r = userdb_changed(db, sql_do(&db->sql, QUERY_user_add,
                         SQL_ARGS(sql_t(n->name), sql_t(n->domain), sql_t(n->hash), sql_t(n->scram), sql_t(n->gecos),
                                  sql_t(home->s),
                                  sql_i((int64_t)n->quota.bytes), sql_i((int64_t)n->quota.count),
                                  sql_i(n->active != 0), sql_i(now), sql_i(now)),
                         e));
  if (r != USERDB_FOUND) return r;
  return userdb_lastauth_set(db, n->name, n->domain, "add", "", 0, e);
}

/* Commits what went well and takes back what did not. */
enum userdb_result userdb_finish(struct userdb *db, enum userdb_result r, struct strerr *e) {
  if (r == USERDB_FOUND && sql_commit(&db->sql, e) == -1) r = USERDB_TEMPFAIL;
  sql_rollback(&db->sql);
  return r;
}

enum userdb_result userdb_user_add(struct userdb *db, const struct userdb_new_user *n, stralloc *home,
                                   struct strerr *e) {
  if (sql_begin(&db->sql, e) == -1) return USERDB_TEMPFAIL;
  return userdb_finish(db, userdb_user_add_more(db, n, home, e), e);
}

static enum userdb_result add_domain(struct userdb *db, const struct userdb_domain *d,
                                     const struct userdb_new_user *n, const char *const *aliases,
                                     struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  enum userdb_result r =
      userdb_changed(db, sql_do(&db->sql, QUERY_domain_add,
                         SQL_ARGS(sql_t(stralloc_cstr(&d->domain)), sql_i(d->uid), sql_i(d->gid),
                                  sql_t(stralloc_cstr(&d->dir)), sql_t(stralloc_cstr(&d->base)), sql_i(wall_now())),
                         e));

  if (r == USERDB_FOUND) r = userdb_user_add_more(db, n, &text, e);
  stralloc_cut(&text, 0);
  if (r == USERDB_FOUND && !stralloc_catm(&text, "&", n->name, "@", n->domain, (char *)0)) r = userdb_no_memory(e);
  for (; r == USERDB_FOUND && *aliases; ++aliases) r = userdb_alias_add(db, *aliases, n->domain, text.s, e);
  stralloc_free(&text);
  return r;
}

enum userdb_result userdb_domain_add(struct userdb *db, const struct userdb_domain *d,
                                     const struct userdb_new_user *n, const char *const *aliases,
                                     struct strerr *e) {
  if (sql_begin(&db->sql, e) == -1) return USERDB_TEMPFAIL;
  return userdb_finish(db, add_domain(db, d, n, aliases, e), e);
}

static enum userdb_result delete_user(struct userdb *db, const char *name, const char *domain,
                                      struct strerr *e) {
  stralloc address = STRALLOC_INIT;
  stralloc place = STRALLOC_INIT;
  struct userdb_user u = {0};
  enum userdb_result r = userdb_user_get(db, name, domain, &u, e);
  const int ok = r == USERDB_FOUND && stralloc_catm(&address, "&", name, "@", domain, (char *)0) && stralloc_catm(&place, u.home.s, "/", (char *)0);

  if (r == USERDB_FOUND) r = ok ? USERDB_TEMPFAIL : userdb_no_memory(e);
  if (ok && sql_do(&db->sql, QUERY_valias_delete_path, SQL_ARGS(sql_t(place.s), sql_t(place.s)), e) == SQL_NONE &&
      sql_do(&db->sql, QUERY_valias_delete_target, SQL_ARGS(sql_t(address.s), sql_t(address.s + 1)), e) ==
          SQL_NONE &&
      sql_do(&db->sql, QUERY_valias_delete_all, SQL_ARGS(sql_t(name), sql_t(domain)), e) == SQL_NONE &&
      sql_do(&db->sql, QUERY_filters_delete_user, SQL_ARGS(sql_t(name), sql_t(domain)), e) == SQL_NONE &&
      sql_do(&db->sql, QUERY_vlimits_delete, SQL_ARGS(sql_t(domain), sql_t(name)), e) == SQL_NONE)
    r = userdb_changed(db, sql_do(&db->sql, QUERY_user_delete, SQL_ARGS(sql_t(name), sql_t(domain)), e));
  userdb_user_free(&u);
  stralloc_free(&place);
  stralloc_free(&address);
  return r;
}

enum userdb_result userdb_user_delete(struct userdb *db, const char *name, const char *domain,
                                      struct strerr *e) {
  if (sql_begin(&db->sql, e) == -1) return USERDB_TEMPFAIL;
  return userdb_finish(db, delete_user(db, name, domain, e), e);
}

static enum userdb_result set_password(struct userdb *db, const char *name, const char *domain,
                                       const char *hash, const char *scram, struct strerr *e) {
  enum userdb_result r =
      userdb_changed(db, sql_do(&db->sql, QUERY_user_passwd,
                         SQL_ARGS(sql_t(hash), sql_t(scram), sql_i(wall_now()), sql_t(name), sql_t(domain)), e));

  return r == USERDB_FOUND ? userdb_lastauth_set(db, name, domain, "pass", "", 0, e) : r;
}

enum userdb_result userdb_user_passwd(struct userdb *db, const char *name, const char *domain,
                                      const char *hash, const char *scram, struct strerr *e) {
  if (sql_begin(&db->sql, e) == -1) return USERDB_TEMPFAIL;
  return userdb_finish(db, set_password(db, name, domain, hash, scram, e), e);
}

enum userdb_result userdb_user_scram(struct userdb *db, const char *name, const char *domain, const char *hash,
                                     const char *scram, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_user_scram,
                            SQL_ARGS(sql_t(scram), sql_t(name), sql_t(domain), sql_t(hash)), e));
}

enum userdb_result userdb_user_modify(struct userdb *db, const struct userdb_user *u, struct strerr *e) {
  struct sql_value v[21] = {sql_tn(u->gecos.s, u->gecos.len), sql_i((int64_t)u->quota.bytes), sql_i((int64_t)u->quota.count), sql_i(u->active != 0)};

  for (int bit = 0; bit < 14; ++bit) v[4 + bit] = sql_i(u->flags >> bit & 1); /* in the order of their columns */
  v[18] = sql_i(wall_now());
  v[19] = sql_tn(u->name.s, u->name.len);
  v[20] = sql_tn(u->domain.s, u->domain.len);
  return userdb_changed(db, sql_do(&db->sql, QUERY_user_modify, v, 21, e));
}

enum userdb_result userdb_user_rehash(struct userdb *db, const char *name, const char *domain, const char *old,
                                      const char *hash, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_user_rehash, SQL_ARGS(sql_t(hash), sql_t(name), sql_t(domain), sql_t(old)), e));
}

enum userdb_result userdb_user_activate(struct userdb *db, const char *name, const char *domain,
                                        struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_user_activate,
                            SQL_ARGS(sql_i(wall_now()), sql_t(name), sql_t(domain)), e));
}

enum userdb_result userdb_group_list(struct userdb *db, const char *domain, struct strlist *pairs, struct strerr *e) {
  return userdb_collect(db, QUERY_group_list, sql_start(&db->sql, QUERY_group_list, SQL_ARGS(sql_t(domain)), e), 2, pairs, e);
}

enum userdb_result userdb_user_each(struct userdb *db, const char *domain, userdb_user_fn fn, void *ctx,
                                    struct strerr *e) {
  const enum query q = QUERY_user_list;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(domain)), e);
  int stop = 0, any = 0;

  for (; v == SQL_ROW && !stop; v = stop ? v : sql_next(&db->sql, q, e)) {
    size_t n;

    any = 1;
    stop = fn(ctx, sql_text(&db->sql, q, 0, &n), sql_text(&db->sql, q, 1, &n), sql_int(&db->sql, q, 2) != 0);
  }
  sql_end(&db->sql, q);
  if (v == SQL_TEMPFAIL || v == SQL_EXISTS) return USERDB_TEMPFAIL;
  return any ? USERDB_FOUND : USERDB_NONE;
}

void userdb_user_free(struct userdb_user *u) {
  stralloc_free(&u->name);
  stralloc_free(&u->domain);
  stralloc_wipe(&u->hash);
  stralloc_wipe(&u->scram);
  stralloc_free(&u->gecos);
  stralloc_free(&u->home);
}

/* --- aliases */

enum userdb_result userdb_alias_get(struct userdb *db, const char *alias, const char *domain,
                                    struct strlist *lines, struct strerr *e) {
  const enum query q = QUERY_valias_get;

  return userdb_collect(db, q, sql_start(&db->sql, q, SQL_ARGS(sql_t(alias), sql_t(domain), sql_t(domain)), e), 1, lines,
                 e);
}

enum userdb_result userdb_atrn_list(struct userdb *db, const char *name, const char *domain, struct strlist *domains,
                                    struct strerr *e) {
  const enum query q = QUERY_atrn_list;

  return userdb_collect(db, q, sql_start(&db->sql, q, SQL_ARGS(sql_t(name), sql_t(domain), sql_t(domain)), e), 1, domains, e);
}

enum userdb_result userdb_alias_list(struct userdb *db, const char *domain, struct strlist *pairs,
                                     struct strerr *e) {
  const enum query q = QUERY_valias_list;

  return userdb_collect(db, q, sql_start(&db->sql, q, SQL_ARGS(sql_t(domain)), e), 2, pairs, e);
}

enum userdb_result userdb_alias_find(struct userdb *db, const char *address, struct strlist *pairs,
                                     struct strerr *e) {
  const enum query q = QUERY_valias_find;
  stralloc with = STRALLOC_INIT;
  enum userdb_result r;

  if (!stralloc_catm(&with, "&", address, (char *)0)) return userdb_no_memory(e);
  r = userdb_collect(db, q, sql_start(&db->sql, q, SQL_ARGS(sql_t(with.s), sql_t(with.s + 1)), e), 2, pairs, e);
  stralloc_free(&with);
  return r;
}

/* Behind the lines that are there, which are in the order of their time: *at. */
static enum userdb_result when_to_add(struct userdb *db, const char *alias, const char *domain, int64_t *at, struct strerr *e) {
  const enum query q = QUERY_valias_last;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(alias), sql_t(domain)), e);
  int64_t last;

  *at = wall_now();
  if (v == SQL_ROW && (last = sql_int(&db->sql, q, 0)) >= *at) *at = last + 1;
  sql_end(&db->sql, q);
  return v == SQL_ROW ? USERDB_FOUND : USERDB_TEMPFAIL;
}

/* EXISTS of the database has two causes here: tell them apart. */
enum userdb_result userdb_alias_add(struct userdb *db, const char *alias, const char *domain,
                                    const char *line, struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  enum userdb_result r = userdb_domain_real(db, domain, &real, e);
  int64_t at;

  if (r == USERDB_FOUND) r = when_to_add(db, alias, real.s, &at, e);
  if (r == USERDB_FOUND)
    r = userdb_changed(db, sql_do(&db->sql, QUERY_valias_add, SQL_ARGS(sql_t(alias), sql_t(real.s), sql_t(line), sql_i(at)), e));
  stralloc_free(&real);
  return r;
}

/* Each line a second after the one before, so that they keep their order. */
static enum userdb_result add_lines(struct userdb *db, const char *alias, const char *domain, const struct strlist *lines, struct strerr *e) {
  int64_t now = wall_now();

  for (size_t i = 0; i < lines->len; ++i) {
    const stralloc *l = &lines->item[i];
    enum userdb_result r = userdb_changed(db, sql_do(&db->sql, QUERY_valias_add,
                                              SQL_ARGS(sql_t(alias), sql_t(domain), sql_tn(l->s, l->len), sql_i(now + (int64_t)i)), e));

    if (r == USERDB_EXISTS) return USERDB_NONE; /* no line stood there: the domain is missing */
    if (r != USERDB_FOUND) return r;
  }
  return USERDB_FOUND;
}

static int same_lines(const struct strlist *a, const struct strlist *b) {
  if (a->len != b->len) return 0;
  for (size_t i = 0; i < a->len; ++i)
    if (!bytes_equal(a->item[i].s, a->item[i].len, b->item[i].s, b->item[i].len)) return 0;
  return 1;
}

enum userdb_result userdb_alias_take_more(struct userdb *db, const char *alias, const char *domain, const struct strlist *lines, int *there,
                                          struct strerr *e) {
  struct strlist now = {0};
  enum userdb_result r = userdb_alias_get(db, alias, domain, &now, e);

  *there = r == USERDB_FOUND;
  if (r == USERDB_NONE) r = add_lines(db, alias, domain, lines, e);
  else if (r == USERDB_FOUND && !same_lines(&now, lines)) r = USERDB_EXISTS;
  strlist_free(&now);
  return r;
}

enum userdb_result userdb_alias_take(struct userdb *db, const char *alias, const char *domain, const struct strlist *lines, struct strerr *e) {
  int there;

  if (sql_begin(&db->sql, e) == -1) return USERDB_TEMPFAIL;
  return userdb_finish(db, userdb_alias_take_more(db, alias, domain, lines, &there, e), e);
}

enum userdb_result userdb_alias_change(struct userdb *db, const char *alias, const char *domain,
                                       const char *old, const char *line, struct strerr *e) {
  return userdb_changed(db, sql_do(&db->sql, QUERY_valias_change,
                            SQL_ARGS(sql_t(line), sql_t(alias), sql_t(domain), sql_t(old)), e));
}

enum userdb_result userdb_alias_delete(struct userdb *db, const char *alias, const char *domain,
                                       const char *line, struct strerr *e) {
  if (!line)
    return userdb_changed(db, sql_do(&db->sql, QUERY_valias_delete_all, SQL_ARGS(sql_t(alias), sql_t(domain)), e));
  return userdb_changed(
      db, sql_do(&db->sql, QUERY_valias_delete, SQL_ARGS(sql_t(alias), sql_t(domain), sql_t(line)), e));
}

/* --- secrets */

static enum userdb_result get_secret(struct userdb *db, const char *id, stralloc *value, struct strerr *e) {
  const enum query q = QUERY_secret_get;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(id)), e);

  return v == SQL_ROW ? userdb_taken(db, q, userdb_column(db, q, 0, value), e) : userdb_result_of(v);
}

/* Of two who make one at the same time the first wins, and both read that. */
enum userdb_result userdb_secret(struct userdb *db, const char *id, stralloc *value, struct strerr *e) {
  char text[2 * SECRET_BYTES + 1] = "";
  enum userdb_result r = get_secret(db, id, value, e);

  if (r != USERDB_NONE) return r;
  for (size_t i = 0; i < SECRET_BYTES; ++i) {
    unsigned char b;

    if (getrandom(&b, 1, 0) != 1) {
      strerr_sys(e, "unable to get random bytes", (char *)0);
      return USERDB_TEMPFAIL;
    }
    fmt_hex64_pad(text + 2 * i, b, 2);
  }
  if (sql_do(&db->sql, QUERY_secret_add, SQL_ARGS(sql_t(id), sql_t(text)), e) != SQL_NONE) return USERDB_TEMPFAIL;
  return get_secret(db, id, value, e);
}

/* --- events */

enum userdb_result userdb_lastauth_at(struct userdb *db, const char *name, const char *domain, const char *service, const char *ip, int64_t at,
                                      int64_t not_within, struct strerr *e) {
  enum sql_verdict v = sql_do(&db->sql, QUERY_lastauth_set,
                              SQL_ARGS(sql_t(name), sql_t(domain), sql_t(service), sql_t(ip), sql_i(at),
                                       sql_i(at - not_within + 1)),
                              e);

  return v == SQL_NONE ? USERDB_FOUND : userdb_result_of(v);
}

enum userdb_result userdb_lastauth_set(struct userdb *db, const char *name, const char *domain,
                                       const char *service, const char *ip, int64_t not_within,
                                       struct strerr *e) {
  return userdb_lastauth_at(db, name, domain, service, ip, wall_now(), not_within, e);
}

enum userdb_result userdb_lastauth_each(struct userdb *db, const char *name, const char *domain,
                                        userdb_lastauth_fn fn, void *ctx, struct strerr *e) {
  const enum query q = QUERY_lastauth_get;
  enum sql_verdict v = sql_start(&db->sql, q, SQL_ARGS(sql_t(name), sql_t(domain)), e);
  int any = 0;

  for (; v == SQL_ROW; v = sql_next(&db->sql, q, e)) {
    size_t n;

    any = 1;
    if (fn(ctx, sql_text(&db->sql, q, 0, &n), sql_text(&db->sql, q, 1, &n), sql_int(&db->sql, q, 2))) break;
  }
  sql_end(&db->sql, q);
  if (v == SQL_TEMPFAIL || v == SQL_EXISTS) return USERDB_TEMPFAIL;
  return any ? USERDB_FOUND : USERDB_NONE;
}
