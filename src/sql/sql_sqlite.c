/* sql_sqlite: the driver for SQLite (see sql.h).  Write-ahead log, so that readers
 * never wait; foreign keys on; a commit is on disk when it returns unless the opener
 * said SQL_RELAXED. */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sql/sql.h"

#define BUSY_MS_HURRY 10
#define BUSY_MS_DAEMON 1000
#define BUSY_MS_PATIENT 20000

struct conn {
  sqlite3 *db;
  stralloc path;
  dev_t dev; /* the file we opened */
  ino_t ino;
  int busy_ms;
  sqlite3_stmt *hold, *let_go; /* made when they are first wanted */
};

static int fail(const struct conn *c, const char *what, struct strerr *e) {
  return strerr_set(e, "user database ", stralloc_cstr(&c->path), ": ", what,
                    c->db ? ": " : "", c->db ? sqlite3_errmsg(c->db) : "", (char *)0);
}

static void close_conn(void *conn) {
  struct conn *c = conn;

  sqlite3_finalize(c->hold);
  sqlite3_finalize(c->let_go);
  sqlite3_close(c->db);
  stralloc_free(&c->path);
  free(c);
}

static int execute(struct conn *c, const char *sql, struct strerr *e) {
  return sqlite3_exec(c->db, sql, 0, 0, 0) == SQLITE_OK ? 0 : fail(c, "unable to set up", e);
}

static int configure(struct conn *c, unsigned flags, struct strerr *e) {
  c->busy_ms = flags & SQL_PATIENT ? BUSY_MS_PATIENT : BUSY_MS_DAEMON;
  sqlite3_busy_timeout(c->db, c->busy_ms);
  sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
  sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
  if (execute(c, "PRAGMA foreign_keys=ON", e) == -1) return -1;
  if (flags & SQL_CREATE && execute(c, "PRAGMA journal_mode=WAL", e) == -1) return -1;
  return execute(c, flags & SQL_RELAXED ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL", e);
}

static int open_conn(void **conn, const char *where, unsigned flags, struct strerr *e) {
  struct conn *c = calloc(1, sizeof *c);
  int mode = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (flags & SQL_CREATE ? SQLITE_OPEN_CREATE : 0);
  struct stat st;
  mode_t mask;
  int r;

  if (!c || !stralloc_copys(&c->path, where)) {
    free(c);
    errno = ENOMEM;
    return strerr_sys(e, "unable to open the user database", (char *)0);
  }
  mask = umask(077);
  r = sqlite3_open_v2(where, &c->db, mode, 0);
  if (r != SQLITE_OK) fail(c, "unable to open", e);
  else if (configure(c, flags, e) == -1) r = SQLITE_ERROR;
  else if (stat(where, &st) == -1) r = strerr_sys(e, "unable to open user database ", where, (char *)0);
  umask(mask);
  if (r != SQLITE_OK) {
    close_conn(c);
    return -1;
  }
  c->dev = st.st_dev;
  c->ino = st.st_ino;
  *conn = c;
  return 0;
}

static int changed(void *conn) {
  const struct conn *c = conn;
  struct stat st;

  return stat(c->path.s, &st) == -1 || st.st_dev != c->dev || st.st_ino != c->ino;
}

static void hurry(void *conn, int on) {
  const struct conn *c = conn;

  sqlite3_busy_timeout(c->db, on ? BUSY_MS_HURRY : c->busy_ms);
}

static int prepare(void *conn, const struct sql_query_row *row, void **stmt, struct strerr *e) {
  struct conn *c = conn;
  sqlite3_stmt *st = 0;

  if (sqlite3_prepare_v3(c->db, row->sql, -1, SQLITE_PREPARE_PERSISTENT, &st, 0) != SQLITE_OK)
    return fail(c, row->id, e);
  *stmt = st;
  return 0;
}

static int bind(void *stmt, int index, const struct sql_value *v) {
  int r = v->type == 'i' ? sqlite3_bind_int64(stmt, index + 1, v->i)
                         : sqlite3_bind_text64(stmt, index + 1, v->s, v->n, SQLITE_TRANSIENT, SQLITE_UTF8);

  return r == SQLITE_OK ? 0 : -1;
}

static enum sql_verdict step(void *conn, void *stmt, struct strerr *e) {
  struct conn *c = conn;
  int r = sqlite3_step(stmt);

  if (r == SQLITE_ROW) return SQL_ROW;
  if (r == SQLITE_DONE) return SQL_NONE;
  fail(c, "unable to run a query", e);
  switch (sqlite3_extended_errcode(c->db)) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
    case SQLITE_CONSTRAINT_FOREIGNKEY: return SQL_EXISTS;
    default: return SQL_TEMPFAIL;
  }
}

static int64_t column_int(void *stmt, int index) {
  return sqlite3_column_int64(stmt, index);
}

static const char *column_text(void *stmt, int index, size_t *n) {
  const char *s = (const char *)sqlite3_column_text(stmt, index);

  *n = (size_t)sqlite3_column_bytes(stmt, index);
  return s ? s : "";
}

static void reset(void *stmt) {
  sqlite3_reset(stmt);
  sqlite3_clear_bindings(stmt);
}

static void finalize(void *stmt) {
  sqlite3_finalize(stmt);
}

static int run(void *conn, const char *sql, const char *what, struct strerr *e) {
  struct conn *c = conn;

  return sqlite3_exec(c->db, sql, 0, 0, 0) == SQLITE_OK ? 0 : fail(c, what, e);
}

static int begin(void *conn, struct strerr *e) {
  return run(conn, "BEGIN IMMEDIATE", "unable to begin a change", e);
}

static int commit(void *conn, struct strerr *e) {
  return run(conn, "COMMIT", "unable to finish a change", e);
}

static void rollback(void *conn) {
  struct conn *c = conn;

  sqlite3_exec(c->db, "ROLLBACK", 0, 0, 0);
}

static int run_kept(struct conn *c, sqlite3_stmt **kept, const char *sql) {
  int r = *kept ? SQLITE_OK : sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, kept, 0);

  if (r == SQLITE_OK) r = sqlite3_step(*kept);
  if (*kept) sqlite3_reset(*kept);
  return r == SQLITE_DONE ? 0 : -1;
}

static int hold(void *conn) {
  struct conn *c = conn;

  return run_kept(c, &c->hold, "BEGIN");
}

static void let_go(void *conn) {
  struct conn *c = conn;

  if (run_kept(c, &c->let_go, "COMMIT") == -1) rollback(c);
}

static int migrate(void *conn, const struct sql_migration *m, struct strerr *e) {
  return run(conn, m->sql, m->comment, e);
}

static int64_t changes(void *conn) {
  const struct conn *c = conn;

  return sqlite3_changes64(c->db);
}

const struct sql_driver sql_sqlite = {
    .name = "sqlite",
    .open = open_conn,
    .changed = changed,
    .prepare = prepare,
    .bind = bind,
    .step = step,
    .column_int = column_int,
    .column_text = column_text,
    .reset = reset,
    .finalize = finalize,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .hold = hold,
    .let_go = let_go,
    .migrate = migrate,
    .changes = changes,
    .hurry = hurry,
    .close = close_conn,
};
