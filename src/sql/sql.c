/* sql: see sql.h.  What is the same for every database: the tables, checking of
 * bound values against them, migrations, and statements kept for reuse. */
#include "sql/sql.h"

#include <string.h>
#include <time.h>

#include "base/now.h"

const struct sql_query_row sql_queries[QUERIES] = {
#define QUERY(id, sql, mysql, parameters, columns) {#id, sql, mysql, parameters, columns},
#include "sql/queries.def"
};

const struct sql_migration sql_migrations[] = {
#define MIGRATION(number, comment, sql, mysql) {number, comment, sql, mysql},
#include "sql/queries.def"
};
const size_t sql_migration_count = sizeof sql_migrations / sizeof *sql_migrations;

struct sql_value sql_t(const char *s) {
  return sql_tn(s, strlen(s));
}

struct sql_value sql_tn(const char *s, size_t n) {
  return (struct sql_value){'t', 0, n ? s : "", n};
}

struct sql_value sql_i(int64_t i) {
  return (struct sql_value){'i', i, 0, 0};
}

static int version(struct sql *s, int64_t *v, struct strerr *e) {
  if (sql_start(s, QUERY_ischema_version, 0, 0, e) != SQL_ROW) return -1;
  *v = sql_int(s, QUERY_ischema_version, 0);
  sql_end(s, QUERY_ischema_version);
  return 0;
}

/* The migrations in one transaction: another process may be about the same, so the
 * version is read again inside it. */
static int migrate(struct sql *s, struct strerr *e) {
  int64_t v;

  if (sql_begin(s, e) == -1) return -1;
  if (sql_do(s, QUERY_ischema_create, 0, 0, e) != SQL_NONE || version(s, &v, e) == -1) return -1;
  for (size_t i = 0; i < sql_migration_count; ++i) {
    const struct sql_migration *m = &sql_migrations[i];

    if (m->number <= v) continue;
    if (s->driver->migrate(s->conn, m, e) == -1) return -1;
    if (sql_do(s, QUERY_ischema_add, SQL_ARGS(sql_i(m->number), sql_t(m->comment), sql_i(wall_now())), e) !=
        SQL_NONE)
      return -1;
  }
  return sql_commit(s, e);
}

/* Tables of ours among those of an old database would be a heap of both. */
static int is_old(struct sql *s, struct strerr *e) {
  enum sql_verdict v = sql_start(s, QUERY_ischema_old, 0, 0, e);

  sql_end(s, QUERY_ischema_old);
  if (v == SQL_NONE) return 0;
  if (v == SQL_ROW) strerr_set(e, "this is the database of an older IndiMail: let install_tables take it over into another", (char *)0);
  return -1;
}

static int check_version(struct sql *s, unsigned flags, struct strerr *e) {
  const int64_t ours = sql_migrations[sql_migration_count - 1].number;
  struct strerr missing = {.sys = 0};
  int64_t v = 0;

  if (version(s, &v, &missing) == 0 && v == ours) return 0;
  if (is_old(s, e) == -1) return -1;
  *e = missing;
  if (v > ours) return strerr_set(e, "the user database is of a newer release", (char *)0);
  if (!(flags & (SQL_CREATE | SQL_MIGRATE))) {
    if (v) strerr_set(e, "the user database is of an older release; vdominfo updates it", (char *)0);
    return -1;
  }
  return migrate(s, e);
}

int sql_open(struct sql *s, const struct sql_driver *driver, const char *where, unsigned flags,
             struct strerr *e) {
  memset(s, 0, sizeof *s);
  s->driver = driver;
  if (driver->open(&s->conn, where, flags, e) == -1) {
    s->conn = 0;
    return -1;
  }
  if (check_version(s, flags, e) == 0) return 0;
  sql_close(s);
  return -1;
}

int sql_is_open(const struct sql *s) {
  return s->conn != 0;
}

void sql_hurry(struct sql *s, int on) {
  if (s->conn && s->driver->hurry) s->driver->hurry(s->conn, on);
}

int sql_changed(struct sql *s) {
  return s->conn && s->round != SQL_ROUND_HELD && s->driver->changed(s->conn);
}

static void let_go(struct sql *s) {
  if (s->round == SQL_ROUND_HELD) s->driver->let_go(s->conn);
}

void sql_round(struct sql *s) {
  if (s->conn && s->driver->hold && s->round == SQL_NO_ROUND) s->round = SQL_ROUND;
}

void sql_round_over(struct sql *s) {
  let_go(s);
  s->round = SQL_NO_ROUND;
}

/* Before a query that reads, or changes something. */
static void go_round(struct sql *s, int reads) {
  if (s->round == SQL_NO_ROUND || s->in_transaction) return;
  if (!reads) {
    let_go(s);
    s->round = SQL_ROUND;
  } else if (s->round == SQL_ROUND) s->round = SQL_ROUND_READ;
  else if (s->round == SQL_ROUND_READ && s->driver->hold(s->conn) == 0) s->round = SQL_ROUND_HELD;
}

static int bind_all(struct sql *s, enum query q, const struct sql_value *v, size_t n, struct strerr *e) {
  const struct sql_query_row *row = &sql_queries[q];

  if (strlen(row->parameters) != n) return strerr_set(e, "wrong number of values for query ", row->id, (char *)0);
  for (size_t i = 0; i < n; ++i) {
    if (v[i].type != row->parameters[i])
      return strerr_set(e, "value of the wrong type for query ", row->id, (char *)0);
    if (s->driver->bind(s->stmt[q], (int)i, &v[i]) == -1)
      return strerr_set(e, "unable to bind a value for query ", row->id, (char *)0);
  }
  return 0;
}

enum sql_verdict sql_start(struct sql *s, enum query q, const struct sql_value *v, size_t n,
                           struct strerr *e) {
  if (!s->conn) {
    strerr_set(e, "the user database is not open", (char *)0);
    return SQL_TEMPFAIL;
  }
  go_round(s, *sql_queries[q].columns != 0);
  if (!s->stmt[q] && s->driver->prepare(s->conn, &sql_queries[q], &s->stmt[q], e) == -1) return SQL_TEMPFAIL;
  s->driver->reset(s->stmt[q]);
  if (bind_all(s, q, v, n, e) == -1) return SQL_TEMPFAIL;
  return sql_next(s, q, e);
}

enum sql_verdict sql_next(struct sql *s, enum query q, struct strerr *e) {
  enum sql_verdict r = s->driver->step(s->conn, s->stmt[q], e);

  if (r != SQL_ROW) s->driver->reset(s->stmt[q]);
  return r;
}

int64_t sql_int(const struct sql *s, enum query q, int column) {
  return s->driver->column_int(s->stmt[q], column);
}

const char *sql_text(const struct sql *s, enum query q, int column, size_t *n) {
  return s->driver->column_text(s->stmt[q], column, n);
}

void sql_end(struct sql *s, enum query q) {
  if (s->conn && s->stmt[q]) s->driver->reset(s->stmt[q]);
}

enum sql_verdict sql_do(struct sql *s, enum query q, const struct sql_value *v, size_t n,
                        struct strerr *e) {
  enum sql_verdict r = sql_start(s, q, v, n, e);

  sql_end(s, q);
  return r;
}

int64_t sql_changes(const struct sql *s) {
  return s->conn ? s->driver->changes(s->conn) : 0;
}

int sql_begin(struct sql *s, struct strerr *e) {
  if (!s->conn) return strerr_set(e, "the user database is not open", (char *)0);
  go_round(s, 0);
  if (s->driver->begin(s->conn, e) == -1) return -1;
  s->in_transaction = 1;
  return 0;
}

int sql_commit(struct sql *s, struct strerr *e) {
  if (s->driver->commit(s->conn, e) == -1) return -1;
  s->in_transaction = 0;
  return 0;
}

void sql_rollback(struct sql *s) {
  if (!s->in_transaction) return;
  s->driver->rollback(s->conn);
  s->in_transaction = 0;
}

void sql_close(struct sql *s) {
  if (!s->conn) return;
  for (int i = 0; i < QUERIES; ++i)
    if (s->stmt[i]) s->driver->finalize(s->stmt[i]);
  sql_rollback(s);
  sql_round_over(s);
  s->driver->close(s->conn);
  memset(s->stmt, 0, sizeof s->stmt);
  s->conn = 0;
}
