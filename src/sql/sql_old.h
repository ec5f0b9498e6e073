/* sql_old: reads the database of an IndiMail before this one, on its MySQL or MariaDB server (sql/old.def).
 * Nothing is written there: the session is read only, and sees the tables as they are when it begins. */
#ifndef SQL_SQL_OLD_H
#define SQL_SQL_OLD_H

#include "base/strlist.h"
#include "sql/sql.h"

enum old {
#define OLD(id, sql, plain, columns) OLD_##id,
#include "sql/old.def"
  OLDS
};
extern const char *const sql_old_names[OLDS]; /* of the tables */

struct sql_old {
  void *conn, *stmt; /* null when closed */
  struct sql_query_row row; /* of what runs now */
  stralloc text;
};

/* where is the driver's (sql.h).  0, or -1 with e filled and o closed. */
int sql_old_open(struct sql_old *o, const char *where, struct strerr *e) MUST_CHECK;
/* Names of all tables there are, sorted by bytes.  0 or -1. */
int sql_old_tables(struct sql_old *o, struct strlist *names, struct strerr *e) MUST_CHECK;
int sql_old_count(struct sql_old *o, const char *table, uint64_t *rows, struct strerr *e) MUST_CHECK;
/* The first row of a table, in whose columns text may hold any bytes; and the next.  One table is read at
 * a time.  dir_control: of the tables of this kind, whose columns are domain and number. */
enum sql_verdict sql_old_start(struct sql_old *o, enum old table, struct strerr *e) MUST_CHECK;
enum sql_verdict sql_old_start_dir_control(struct sql_old *o, const char *table, struct strerr *e) MUST_CHECK;
enum sql_verdict sql_old_next(struct sql_old *o, struct strerr *e) MUST_CHECK;
int64_t sql_old_int(const struct sql_old *o, int column);
const char *sql_old_text(const struct sql_old *o, int column, size_t *n); /* borrowed until the next row */
void sql_old_close(struct sql_old *o); /* idempotent; a zeroed struct is closed */

#endif
