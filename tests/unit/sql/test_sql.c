/* The driver conformance suite, run on SQLite: every query of queries.def is prepared
 * with the columns and parameters it claims, and each outcome is told apart. */
#include "sql/sql.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "check.h"

static char dir[] = "/tmp/test_sql.XXXXXX";
static stralloc path;

static int type_ok(const char *letters) {
  return strspn(letters, "ti") == strlen(letters);
}

/* Counts question marks and columns as the database itself sees them. */
static void every_query(void) {
  struct sql s;
  struct strerr e;
  sqlite3 *db;

  CHECK(sql_open(&s, &sql_sqlite, path.s, SQL_CREATE, &e) == 0);
  CHECK(sqlite3_open(path.s, &db) == SQLITE_OK);
  for (int i = 0; i < QUERIES; ++i) {
    const struct sql_query_row *row = &sql_queries[i];
    sqlite3_stmt *st = 0;
    void *own = 0;

    CHECK_CASE(type_ok(row->parameters) && type_ok(row->columns), row->id);
    CHECK_CASE(s.driver->prepare(s.conn, row, &own, &e) == 0, row->id);
    s.driver->finalize(own);
    CHECK_CASE(sqlite3_prepare_v2(db, row->sql, -1, &st, 0) == SQLITE_OK, row->id);
    CHECK_CASE(sqlite3_bind_parameter_count(st) == (int)strlen(row->parameters), row->id);
    CHECK_CASE(sqlite3_column_count(st) == (int)strlen(row->columns), row->id);
    sqlite3_finalize(st);
  }
  sqlite3_close(db);
  sql_close(&s);
}

static enum sql_verdict add_domain(struct sql *s, const char *name, struct strerr *e) {
  return sql_do(s, QUERY_domain_add,
                SQL_ARGS(sql_t(name), sql_i(1), sql_i(2), sql_t("/d"), sql_t(""), sql_i(3)), e);
}

/* Values come back as they went in, whatever they look like. */
static void values(struct sql *s) {
  static const char *const texts[] = {
      "plain", "it's", "\"q\"", "'; DROP TABLE domains; --", "a\\b", "%_", "\xc3\xa9", "new\nline", "?",
  };
  struct strerr e;

  for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
    size_t n;

    CHECK_CASE(add_domain(s, texts[i], &e) == SQL_NONE, texts[i]);
    CHECK_CASE(sql_changes(s) == 1, texts[i]);
    CHECK_CASE(sql_start(s, QUERY_domain_get, SQL_ARGS(sql_t(texts[i])), &e) == SQL_ROW, texts[i]);
    CHECK_CASE(!strcmp(sql_text(s, QUERY_domain_get, 0, &n), texts[i]) && n == strlen(texts[i]), texts[i]);
    CHECK(sql_int(s, QUERY_domain_get, 1) == 1 && sql_int(s, QUERY_domain_get, 2) == 2);
    CHECK(sql_next(s, QUERY_domain_get, &e) == SQL_NONE);
    CHECK_CASE(add_domain(s, texts[i], &e) == SQL_EXISTS, texts[i]);
  }
  CHECK(sql_start(s, QUERY_domain_get, SQL_ARGS(sql_t("none")), &e) == SQL_NONE);
  /* a user without its domain */
  CHECK(sql_do(s, QUERY_valias_add, SQL_ARGS(sql_t("a"), sql_t("no.such"), sql_t("x"), sql_i(1)), &e) == SQL_EXISTS);
  /* wrong use is an error, not a query with missing values */
  CHECK(sql_start(s, QUERY_domain_get, 0, 0, &e) == SQL_TEMPFAIL);
  CHECK(sql_start(s, QUERY_domain_get, SQL_ARGS(sql_i(1)), &e) == SQL_TEMPFAIL);
}

static void transactions(struct sql *s) {
  struct strerr e;

  CHECK(sql_begin(s, &e) == 0);
  CHECK(add_domain(s, "rolled.back", &e) == SQL_NONE);
  sql_rollback(s);
  CHECK(sql_start(s, QUERY_domain_get, SQL_ARGS(sql_t("rolled.back")), &e) == SQL_NONE);
  CHECK(sql_begin(s, &e) == 0);
  CHECK(add_domain(s, "kept", &e) == SQL_NONE);
  CHECK(sql_commit(s, &e) == 0);
  sql_rollback(s);
  CHECK(sql_start(s, QUERY_domain_get, SQL_ARGS(sql_t("kept")), &e) == SQL_ROW);
  sql_end(s, QUERY_domain_get);
  /* closing in a transaction takes it back */
  CHECK(sql_begin(s, &e) == 0);
  CHECK(add_domain(s, "closed", &e) == SQL_NONE);
  sql_close(s);
  CHECK(sql_open(s, &sql_sqlite, path.s, 0, &e) == 0);
  CHECK(sql_start(s, QUERY_domain_get, SQL_ARGS(sql_t("closed")), &e) == SQL_NONE);
}

/* Another writer holds the database: a temporary error after the busy time-out. */
static void busy(struct sql *s) {
  struct strerr e;
  sqlite3 *other;

  CHECK(sqlite3_open(path.s, &other) == SQLITE_OK);
  CHECK(sqlite3_exec(other, "BEGIN EXCLUSIVE", 0, 0, 0) == SQLITE_OK);
  CHECK(add_domain(s, "busy", &e) == SQL_TEMPFAIL);
  /* but readers go on */
  CHECK(sql_start(s, QUERY_domain_get, SQL_ARGS(sql_t("kept")), &e) == SQL_ROW);
  sql_end(s, QUERY_domain_get);
  CHECK(sqlite3_exec(other, "ROLLBACK", 0, 0, 0) == SQLITE_OK);
  sqlite3_close(other);
}

static void open_failures(void) {
  struct sql s;
  struct strerr e;
  stralloc p = STRALLOC_INIT;
  int fd;

  CHECK(stralloc_catm(&p, dir, "/none.db", (char *)0));
  CHECK(sql_open(&s, &sql_sqlite, p.s, 0, &e) == -1 && !sql_is_open(&s));
  CHECK(access(p.s, F_OK) == -1);
  CHECK(sql_start(&s, QUERY_domain_list, 0, 0, &e) == SQL_TEMPFAIL);
  CHECK(stralloc_cats(&p, "x/none.db"));
  CHECK(sql_open(&s, &sql_sqlite, p.s, SQL_CREATE, &e) == -1);
  stralloc_cut(&p, 0);
  CHECK(stralloc_catm(&p, dir, "/garbage.db", (char *)0));
  fd = fd_open_trunc(p.s, 0600);
  for (int i = 0; i < 1000; ++i) CHECK(fd_write_all(fd, "not a database ", 15) == 0);
  close(fd);
  CHECK(sql_open(&s, &sql_sqlite, p.s, SQL_CREATE, &e) == -1);
  CHECK(sql_open(&s, &sql_sqlite, p.s, 0, &e) == -1);
  sql_close(&s);
  stralloc_free(&p);
}

static void newer_schema(void) {
  struct sql s;
  struct strerr e;
  sqlite3 *db;

  CHECK(sqlite3_open(path.s, &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, "INSERT INTO ischema VALUES (9999, 'later', 0)", 0, 0, 0) == SQLITE_OK);
  CHECK(sql_open(&s, &sql_sqlite, path.s, SQL_CREATE, &e) == -1);
  CHECK(sqlite3_exec(db, "DELETE FROM ischema WHERE id = 9999", 0, 0, 0) == SQLITE_OK);
  CHECK(sql_open(&s, &sql_sqlite, path.s, 0, &e) == 0);
  CHECK(!sql_changed(&s));
  CHECK(unlink(path.s) == 0);
  CHECK(sql_changed(&s));
  sql_close(&s);
  sqlite3_close(db);
}

/* The classic tables are there for those who query them. */
static void views(struct sql *s) {
  struct strerr e;
  sqlite3 *db;
  sqlite3_stmt *st;

  CHECK(sql_do(s, QUERY_user_add,
               SQL_ARGS(sql_t("u"), sql_t("kept"), sql_t("h"), sql_t(""), sql_t("g"), sql_t("/d"), sql_i(1000), sql_i(5), sql_i(1),
                        sql_i(1), sql_i(86400)),
               &e) == SQL_NONE);
  CHECK(sqlite3_open(path.s, &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, "UPDATE users SET no_pop = 1, no_smtp = 1, override_limits = 1", 0, 0, 0) == SQLITE_OK);
  CHECK(sqlite3_prepare_v2(db, "SELECT pw_gid, pw_shell, timestamp FROM indimail WHERE pw_name = 'u'", -1, &st, 0) ==
        SQLITE_OK);
  CHECK(sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int(st, 0) == 0x2102);
  CHECK(!strcmp((const char *)sqlite3_column_text(st, 1), "1000S,5C"));
  CHECK(!strcmp((const char *)sqlite3_column_text(st, 2), "1970-01-02 00:00:00"));
  sqlite3_finalize(st);
  CHECK(sqlite3_prepare_v2(db, "SELECT * FROM indibak", -1, &st, 0) == SQLITE_OK);
  CHECK(sqlite3_step(st) == SQLITE_DONE);
  sqlite3_finalize(st);
  sqlite3_close(db);
}

int main(void) {
  struct sql s = {0};
  struct strerr e;
  struct stat st;
  stralloc cmd = STRALLOC_INIT;

  CHECK(mkdtemp(dir) != 0);
  CHECK(stralloc_catm(&path, dir, "/users.db", (char *)0));
  sql_close(&s);
  every_query();
  CHECK(stat(path.s, &st) == 0 && (st.st_mode & 0777) == 0600);
  CHECK(sql_open(&s, &sql_sqlite, path.s, SQL_CREATE, &e) == 0);
  values(&s);
  transactions(&s);
  views(&s);
  busy(&s);
  sql_close(&s);
  sql_close(&s);
  newer_schema();
  open_failures();
  CHECK(stralloc_catm(&cmd, "rm -rf ", dir, (char *)0) && system(cmd.s) == 0);
  stralloc_free(&cmd);
  stralloc_free(&path);
  return check_done();
}
