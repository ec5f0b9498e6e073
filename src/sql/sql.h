/* sql: the user database's engine behind one small interface.
 *
 * All text stands in queries.def; a statement is prepared once per connection and
 * run with bound values.  Every outcome is one of sql_verdict: what the database
 * could not say is SQL_TEMPFAIL, never "no row".  A connection belongs to one
 * process and is not carried over fork.  Calls may block for the busy time-out. */
#ifndef SQL_SQL_H
#define SQL_SQL_H

#include <stddef.h>
#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"

enum query {
#define QUERY(id, sql, mysql, parameters, columns) QUERY_##id,
#include "sql/queries.def"
  QUERIES
};

struct sql_query_row {
  const char *id, *sql, *mysql, *parameters, *columns;
};
extern const struct sql_query_row sql_queries[QUERIES];

struct sql_migration {
  int64_t number;
  const char *comment, *sql, *mysql;
};
extern const struct sql_migration sql_migrations[];
extern const size_t sql_migration_count;

enum sql_verdict {
  SQL_ROW,      /* a row is there */
  SQL_NONE,     /* no (more) rows; a statement without rows was carried out */
  SQL_EXISTS,   /* refused: a row with this key is there already, or a parent is missing */
  SQL_TEMPFAIL, /* e says why */
};

struct sql_value {
  char type; /* t or i, as the query's parameters */
  int64_t i;
  const char *s;
  size_t n;
};
struct sql_value sql_t(const char *s);
struct sql_value sql_tn(const char *s, size_t n);
struct sql_value sql_i(int64_t i);

/* What a database driver must do.  conn and stmt are its own.  prepare, begin ...
 * give 0 or -1 with e filled; the rest never fails. */
struct sql_driver {
  const char *name;
  int (*open)(void **conn, const char *where, unsigned flags, struct strerr *e);
  int (*changed)(void *conn); /* is the database another than the one we opened, or gone? */
  int (*prepare)(void *conn, const struct sql_query_row *row, void **stmt, struct strerr *e);
  int (*bind)(void *stmt, int index, const struct sql_value *v); /* index from 0 */
  enum sql_verdict (*step)(void *conn, void *stmt, struct strerr *e);
  int64_t (*column_int)(void *stmt, int index);
  const char *(*column_text)(void *stmt, int index, size_t *n);
  void (*reset)(void *stmt);
  void (*finalize)(void *stmt);
  int (*begin)(void *conn, struct strerr *e);
  int (*commit)(void *conn, struct strerr *e);
  void (*rollback)(void *conn);
  int (*hold)(void *conn);     /* null: gains nothing here; what is read sees one state from now on: 0 or -1 */
  void (*let_go)(void *conn);
  int (*migrate)(void *conn, const struct sql_migration *m, struct strerr *e);
  int64_t (*changes)(void *conn); /* rows the last statement changed */
  void (*hurry)(void *conn, int on); /* null: nobody holds others up for long here */
  void (*close)(void *conn);
};
extern const struct sql_driver sql_sqlite; /* where: path of the file */
/* where: lines "key value": host as in control/host.mysql, database, library and the options of
 * sql_mysql.c; what the server says of a lost connection is SQL_TEMPFAIL from then on. */
extern const struct sql_driver sql_mysql;

#define SQL_CREATE 1u  /* create it if it is missing; implies SQL_MIGRATE */
#define SQL_RELAXED 2u /* a crash of the machine may undo the last changes (not break anything) */
#define SQL_MIGRATE 8u /* apply new migrations */
#define SQL_FOREIGN 16u /* tables of others, which are only read: text need not compare as ours does */
#define SQL_PATIENT 4u /* wait long for other writers: programs run by people */

struct sql {
  const struct sql_driver *driver;
  void *conn; /* null when closed */
  void *stmt[QUERIES];
  int in_transaction;
  enum { SQL_NO_ROUND, SQL_ROUND, SQL_ROUND_READ, SQL_ROUND_HELD } round;
};

/* where is the driver's: a path, or a host string.  0, or -1 with e filled and s
 * closed.  Without SQL_CREATE a database that is missing is an error, without
 * SQL_MIGRATE one of an older schema; one of a newer schema always. */
int sql_open(struct sql *s, const struct sql_driver *driver, const char *where, unsigned flags,
             struct strerr *e) MUST_CHECK;
int sql_is_open(const struct sql *s);
/* From here on what has to wait for other writers fails at once; or, not on, waits as it did. */
void sql_hurry(struct sql *s, int on);
/* 1 if the database is no longer the one that was opened (replaced or removed); asked once in a round. */
int sql_changed(struct sql *s);
/* Until sql_round_over the questions are as good as asked at one time: from the second on they see one state of
 * the database, and finding out whether somebody has changed it is paid once.  A change of ours ends that state. */
void sql_round(struct sql *s);
void sql_round_over(struct sql *s);
/* Run a query to its first row.  After SQL_ROW its columns can be read until
 * sql_next or sql_end; text is borrowed as long.  sql_end may be called always. */
enum sql_verdict sql_start(struct sql *s, enum query q, const struct sql_value *v, size_t n,
                           struct strerr *e) MUST_CHECK;
enum sql_verdict sql_next(struct sql *s, enum query q, struct strerr *e) MUST_CHECK;
int64_t sql_int(const struct sql *s, enum query q, int column);
const char *sql_text(const struct sql *s, enum query q, int column, size_t *n);
void sql_end(struct sql *s, enum query q);
/* A statement without rows, run and ended: SQL_NONE when done. */
enum sql_verdict sql_do(struct sql *s, enum query q, const struct sql_value *v, size_t n,
                        struct strerr *e) MUST_CHECK;
int64_t sql_changes(const struct sql *s);

#define SQL_ARGS(...)                        \
  (const struct sql_value[]){__VA_ARGS__}, \
      sizeof((const struct sql_value[]){__VA_ARGS__}) / sizeof(struct sql_value)

/* Transactions do not nest.  begin takes the right to write at once. */
int sql_begin(struct sql *s, struct strerr *e) MUST_CHECK;
int sql_commit(struct sql *s, struct strerr *e) MUST_CHECK;
void sql_rollback(struct sql *s); /* fine when none is open */
void sql_close(struct sql *s);    /* idempotent; a zeroed struct is closed */

#endif
