/* sql_old: see sql_old.h. */
#include "sql/sql_old.h"

#include <errno.h>
#include <string.h>

static const struct {
  const char *sql, *plain, *columns;
} tables[OLDS] = {
#define OLD(id, sql, plain, columns) {sql, plain, columns},
#include "sql/old.def"
};

const char *const sql_old_names[OLDS] = {
#define OLD(id, sql, plain, columns) #id,
#include "sql/old.def"
};

static const struct sql_driver *const driver = &sql_mysql;

int sql_old_open(struct sql_old *o, const char *where, struct strerr *e) {
  static const struct sql_migration begin = {0, "unable to begin reading", OLD_BEGIN, 0};

  memset(o, 0, sizeof *o);
  if (driver->open(&o->conn, where, SQL_PATIENT | SQL_FOREIGN, e) == -1) {
    o->conn = 0;
    return -1;
  }
  if (driver->migrate(o->conn, &begin, e) == 0) return 0;
  sql_old_close(o);
  return -1;
}

static void end(struct sql_old *o) {
  if (o->stmt) driver->finalize(o->stmt);
  o->stmt = 0;
}

static enum sql_verdict start(struct sql_old *o, const char *id, const char *sql, const char *columns, struct strerr *e) {
  end(o);
  o->row = (struct sql_query_row){id, sql, 0, "", columns};
  if (driver->prepare(o->conn, &o->row, &o->stmt, e) == -1) {
    o->stmt = 0;
    return SQL_TEMPFAIL;
  }
  return sql_old_next(o, e);
}

/* A question about one table, by its name. */
static enum sql_verdict start_named(struct sql_old *o, const char *sql, const char *table, const char *columns, struct strerr *e) {
  stralloc_cut(&o->text, 0);
  if (strchr(table, '`')) {
    strerr_set(e, "odd name of a table: ", table, (char *)0);
    return SQL_TEMPFAIL;
  }
  if (!stralloc_catm(&o->text, sql, "`", table, "`", (char *)0)) {
    errno = ENOMEM;
    strerr_sys(e, "unable to read table ", table, (char *)0);
    return SQL_TEMPFAIL;
  }
  return start(o, "table of the old database", o->text.s, columns, e);
}

int sql_old_tables(struct sql_old *o, struct strlist *names, struct strerr *e) {
  enum sql_verdict v = start(o, "tables of the old database", OLD_TABLES, "t", e);

  strlist_clear(names);
  for (; v == SQL_ROW; v = sql_old_next(o, e)) {
    size_t n;
    const char *name = sql_old_text(o, 0, &n);

    if (strlist_add(names, name, n)) continue;
    errno = ENOMEM;
    return strerr_sys(e, "unable to list the tables of the old database", (char *)0);
  }
  strlist_sort(names);
  return v == SQL_NONE ? 0 : -1;
}

int sql_old_count(struct sql_old *o, const char *table, uint64_t *rows, struct strerr *e) {
  if (start_named(o, OLD_COUNT, table, "i", e) != SQL_ROW) return -1;
  *rows = (uint64_t)sql_old_int(o, 0);
  return 0;
}

enum sql_verdict sql_old_start(struct sql_old *o, enum old table, struct strerr *e) {
  enum sql_verdict v = start(o, sql_old_names[table], tables[table].sql, tables[table].columns, e);

  if (v == SQL_TEMPFAIL && tables[table].plain) v = start(o, sql_old_names[table], tables[table].plain, tables[table].columns, e);
  return v;
}

enum sql_verdict sql_old_start_dir_control(struct sql_old *o, const char *table, struct strerr *e) {
  return start_named(o, OLD_DIR_CONTROL, table, "ti", e);
}

enum sql_verdict sql_old_next(struct sql_old *o, struct strerr *e) {
  return driver->step(o->conn, o->stmt, e);
}

int64_t sql_old_int(const struct sql_old *o, int column) {
  return driver->column_int(o->stmt, column);
}

const char *sql_old_text(const struct sql_old *o, int column, size_t *n) {
  return driver->column_text(o->stmt, column, n);
}

void sql_old_close(struct sql_old *o) {
  end(o);
  if (o->conn) driver->close(o->conn);
  o->conn = 0;
  stralloc_free(&o->text);
}
