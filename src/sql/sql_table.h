/* sql_table: a table of the administrator's own, made of his own text: the one place where text that is
 * not in queries.def becomes a statement.  It can make a table that is not there, and do nothing else. */
#ifndef SQL_SQL_TABLE_H
#define SQL_SQL_TABLE_H

#include "sql/sql.h"

/* A template: the table's name, then its columns in parentheses.  Null, with the parts, or why not. */
struct sql_table {
  const char *name, *columns;
  size_t namen, columnsn;
};
const char *sql_table_parse(const char *s, size_t n, struct sql_table *t);
/* SQL_NONE when it is made, SQL_EXISTS when there is a table or view of that name; SQL_TEMPFAIL with
 * e filled, permanent when the database does not take the columns. */
enum sql_verdict sql_table_make(struct sql *s, const struct sql_table *t, struct strerr *e) MUST_CHECK;

#endif
