/* sql_copy: all of one user database into another, empty one, of whatever engine. */
#ifndef SQL_SQL_COPY_H
#define SQL_SQL_COPY_H

#include "sql/sql.h"

struct sql_copy {
  /* Told now and then within a table, and with last set when all of it is there and compared. */
  void (*progress)(void *ctx, const char *table, uint64_t rows, int last);
  void *ctx;
  int dry; /* take it back in the end */
};
/* Nobody changes either meanwhile.  What arrived is read back, and counts only when its rows and their
 * checksum are those of the source; otherwise, and when this is cut short, the target is as empty as it
 * was.  0, or -1 with e filled (permanent: the target is not empty). */
int sql_copy_all(struct sql *from, struct sql *to, const struct sql_copy *how, struct strerr *e) MUST_CHECK;

#endif
