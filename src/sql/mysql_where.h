/* mysql_where: where a server is and how to get in, as userdb_place hands it to the driver: lines
 * "key value", of which host is as in control/host.mysql. */
#ifndef SQL_MYSQL_WHERE_H
#define SQL_MYSQL_WHERE_H

#include "base/attr.h"
#include "base/strerr.h"
#include "sql/mysql_place.h"

struct mysql_where {
  struct mysql_place place;
  stralloc database, library;
  int verify; /* the server's certificate */
};

/* 0, or -1 with e filled.  Free it in any case. */
int mysql_where_parse(struct mysql_where *w, const char *where, struct strerr *e) MUST_CHECK;
/* The value of a key, in out: 1, 0 it is not there, -1 without memory. */
int mysql_where_key(const char *where, const char *key, stralloc *out) MUST_CHECK;
void mysql_where_free(struct mysql_where *w); /* wipes the password */

/* The same for the client programs mariadb and mysql, as the text of an option file. */
int mysql_where_options(const char *where, stralloc *file, struct strerr *e) MUST_CHECK;

#endif
