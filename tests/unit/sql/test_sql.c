/* The driver conformance suite, run on SQLite and, where $TEST_MYSQL says where there is a server, on it:
 * every query of queries.def is prepared
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

/* The driver itself compares what the server makes of a query with its row. */
static void every_query_prepared(struct sql *s) {
  struct strerr e;

  for (int i = 0; i < QUERIES; ++i) {
    void *st = 0;

    CHECK_CASE(s->driver->prepare(s->conn, &sql_queries[i], &st, &e) == 0, sql_queries[i].id);
    if (st) s->driver->finalize(st);
    else puts(e.text);
  }
}

static enum sql_verdict add_domain(struct sql *s, const char *name, struct strerr *e) {
  return sql_do(s, QUERY_domain_add,
                SQL_ARGS(sql_t(name), sql_i(1), sql_i(2), sql_t("/d"), sql_t(""), sql_i(3)), e);
}

/* Values come back as they went in, whatever they look like. */
static void values(struct sql *s) {
  static const char *const texts[] = {
      "plain", "Plain", "plain ", "it's", "\"q\"", "'; DROP TABLE domains; --", "a\\b", "%_", "\xc3\xa9", "new\nline", "?",
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
  CHECK(sql_open(s, s->driver, path.s, 0, &e) == 0);
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

static int knows(struct sql *s, const char *domain) {
  struct strerr e;
  enum sql_verdict v = sql_start(s, QUERY_domain_get, SQL_ARGS(sql_t(domain)), &e);

  sql_end(s, QUERY_domain_get);
  CHECK_CASE(v == SQL_ROW || v == SQL_NONE, domain);
  return v == SQL_ROW;
}

/* What a round sees of changes: of others' none from its second question on, of our own all. */
static void rounds(struct sql *s) {
  struct sql other;
  struct strerr e;

  CHECK(sql_open(&other, &sql_sqlite, path.s, 0, &e) == 0);
  for (int i = 0; i < 2; ++i) {
    sql_round(s);
    sql_round(s); /* is under way */
    CHECK(knows(s, "kept") && !knows(s, "by.another"));
    CHECK(add_domain(&other, "by.another", &e) == SQL_NONE);
    CHECK(knows(&other, "by.another") && !knows(s, "by.another") && !sql_changed(s));
    if (i == 0) sql_round_over(s);
    else CHECK(add_domain(s, "by.us", &e) == SQL_NONE);
    CHECK(knows(s, "by.another") && knows(s, "by.us") == i);
    sql_round_over(s);
    sql_round_over(s);
    CHECK(sql_do(&other, QUERY_domain_delete, SQL_ARGS(sql_t("by.another")), &e) == SQL_NONE && !knows(s, "by.another"));
  }
  /* A transaction, and the end, within one. */
  sql_round(s);
  CHECK(knows(s, "by.us") && knows(s, "by.us") && sql_begin(s, &e) == 0);
  CHECK(sql_do(s, QUERY_domain_delete, SQL_ARGS(sql_t("by.us")), &e) == SQL_NONE && sql_commit(s, &e) == 0);
  CHECK(!knows(s, "by.us") && !knows(s, "by.us"));
  sql_close(s);
  sql_round(s);
  sql_round_over(s);
  CHECK(sql_open(s, &sql_sqlite, path.s, 0, &e) == 0 && !knows(s, "by.us"));
  sql_close(&other);
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
static void views(void) {
  sqlite3 *db;
  sqlite3_stmt *st;

  CHECK(sqlite3_open(path.s, &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, "UPDATE users SET changed = 86400, no_pop = 1, no_smtp = 1, override_limits = 1", 0, 0, 0) == SQLITE_OK);
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

/* Whoever writes last with the same key, and a time that does not go back. */
static void upserts(struct sql *s) {
  const enum query q = QUERY_lastauth_get;
  struct strerr e;
  size_t n;

  for (int i = 0; i < 3; ++i) {
    const char *ip = i == 0 ? "a" : i == 1 ? "b" : "c";
    int64_t at = i == 0 ? 100 : i == 1 ? 150 : 300;

    CHECK(sql_do(s, QUERY_lastauth_set, SQL_ARGS(sql_t("u"), sql_t("kept"), sql_t("imap"), sql_t(ip), sql_i(at), sql_i(at - 60)), &e) == SQL_NONE);
  }
  CHECK(sql_start(s, q, SQL_ARGS(sql_t("u"), sql_t("kept")), &e) == SQL_ROW);
  CHECK(!strcmp(sql_text(s, q, 0, &n), "imap") && !strcmp(sql_text(s, q, 1, &n), "c") && sql_int(s, q, 2) == 300);
  CHECK(sql_next(s, q, &e) == SQL_NONE);
  CHECK(sql_do(s, QUERY_lastauth_set, SQL_ARGS(sql_t("u"), sql_t("kept"), sql_t("imap"), sql_t("d"), sql_i(310), sql_i(250)), &e) == SQL_NONE);
  CHECK(sql_start(s, q, SQL_ARGS(sql_t("u"), sql_t("kept")), &e) == SQL_ROW && !strcmp(sql_text(s, q, 1, &n), "c"));
  sql_end(s, q);
  for (int i = 1; i < 4; ++i) {
    CHECK(sql_do(s, QUERY_dir_control_next, SQL_ARGS(sql_t("kept"), sql_t("a")), &e) == SQL_NONE);
    CHECK(sql_start(s, QUERY_dir_control_get, SQL_ARGS(sql_t("kept"), sql_t("a")), &e) == SQL_ROW);
    CHECK(sql_int(s, QUERY_dir_control_get, 0) == i);
    sql_end(s, QUERY_dir_control_get);
  }
  CHECK(sql_do(s, QUERY_secret_add, SQL_ARGS(sql_t("one"), sql_t("first")), &e) == SQL_NONE);
  CHECK(sql_do(s, QUERY_secret_add, SQL_ARGS(sql_t("one"), sql_t("second")), &e) == SQL_NONE);
  CHECK(sql_start(s, QUERY_secret_get, SQL_ARGS(sql_t("one")), &e) == SQL_ROW && !strcmp(sql_text(s, QUERY_secret_get, 0, &n), "first"));
  sql_end(s, QUERY_secret_get);
}

/* A change that finds its row counts it, changed or not. */
static void counts(struct sql *s) {
  struct strerr e;

  for (int i = 0; i < 2; ++i) {
    CHECK(sql_do(s, QUERY_user_activate, SQL_ARGS(sql_i(7), sql_t("u"), sql_t("kept")), &e) == SQL_NONE);
    CHECK(sql_changes(s) == 1);
  }
  CHECK(sql_do(s, QUERY_user_activate, SQL_ARGS(sql_i(7), sql_t("nobody"), sql_t("kept")), &e) == SQL_NONE && sql_changes(s) == 0);
}

/* A value longer than any buffer that might be guessed, and another query between two rows. */
static void long_and_between(struct sql *s) {
  stralloc text = STRALLOC_INIT;
  struct strerr e;
  size_t n;

  for (int i = 0; i < 20000; ++i) CHECK(stralloc_append(&text, (char)('a' + i % 26)));
  CHECK(sql_do(s, QUERY_secret_add, SQL_ARGS(sql_t("long"), sql_tn(text.s, text.len)), &e) == SQL_NONE);
  CHECK(sql_start(s, QUERY_domain_list, 0, 0, &e) == SQL_ROW);
  CHECK(sql_start(s, QUERY_secret_get, SQL_ARGS(sql_t("long")), &e) == SQL_ROW);
  CHECK(!strcmp(sql_text(s, QUERY_secret_get, 0, &n), text.s) && n == text.len);
  sql_end(s, QUERY_secret_get);
  CHECK(sql_next(s, QUERY_domain_list, &e) == SQL_ROW);
  sql_end(s, QUERY_domain_list);
  stralloc_free(&text);
}

static void add_user(struct sql *s) {
  struct strerr e;

  CHECK(sql_do(s, QUERY_user_add,
               SQL_ARGS(sql_t("u"), sql_t("kept"), sql_t("h"), sql_t(""), sql_t("g"), sql_t("/d"), sql_i(1000), sql_i(5), sql_i(1),
                        sql_i(1), sql_i(86400)),
               &e) == SQL_NONE);
}

/* What every driver must do. */
static void conformance(struct sql *s) {
  every_query_prepared(s);
  values(s);
  transactions(s);
  add_user(s);
  upserts(s);
  counts(s);
  long_and_between(s);
}

static int on_server(const char *where) {
  struct sql s = {0};
  struct strerr e;

  CHECK(stralloc_copys(&path, where));
  CHECK(sql_open(&s, &sql_mysql, path.s, 0, &e) == -1); /* no such database yet */
  CHECK(sql_open(&s, &sql_mysql, path.s, SQL_CREATE, &e) == 0);
  if (sql_is_open(&s)) conformance(&s);
  else puts(e.text);
  sql_close(&s);
  stralloc_free(&path);
  return check_done();
}

int main(void) {
  struct sql s = {0};
  struct strerr e;
  struct stat st;
  stralloc cmd = STRALLOC_INIT;

  if (getenv("TEST_MYSQL")) return on_server(getenv("TEST_MYSQL"));
  CHECK(mkdtemp(dir) != 0);
  CHECK(stralloc_catm(&path, dir, "/users.db", (char *)0));
  sql_close(&s);
  every_query();
  CHECK(stat(path.s, &st) == 0 && (st.st_mode & 0777) == 0600);
  CHECK(sql_open(&s, &sql_sqlite, path.s, SQL_CREATE, &e) == 0);
  conformance(&s);
  views();
  busy(&s);
  rounds(&s);
  sql_close(&s);
  sql_close(&s);
  newer_schema();
  open_failures();
  CHECK(stralloc_catm(&cmd, "rm -rf ", dir, (char *)0) && system(cmd.s) == 0);
  stralloc_free(&cmd);
  stralloc_free(&path);
  return check_done();
}
