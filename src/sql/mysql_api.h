/* mysql_api: the client library of MariaDB, loaded when a site uses that database: programs of
 * one that does not carry nothing of it.  All of its functions we use are found, or none is. */
#ifndef SQL_MYSQL_API_H
#define SQL_MYSQL_API_H

#include <mariadb/mysql.h>

#include "base/strerr.h"

/* name, type of the result, arguments */
#define MYSQL_FUNCTIONS(F)                                                                                       \
  F(mysql_init, MYSQL *, (MYSQL *))                                                                              \
  F(mysql_options, int, (MYSQL *, enum mysql_option, const void *))                                              \
  F(mysql_real_connect, MYSQL *,                                                                                 \
    (MYSQL *, const char *, const char *, const char *, const char *, unsigned int, const char *, unsigned long)) \
  F(mysql_close, void, (MYSQL *))                                                                                \
  F(mysql_errno, unsigned int, (MYSQL *))                                                                        \
  F(mysql_error, const char *, (MYSQL *))                                                                        \
  F(mysql_ping, int, (MYSQL *))                                                                                  \
  F(mysql_select_db, int, (MYSQL *, const char *))                                                               \
  F(mysql_real_query, int, (MYSQL *, const char *, unsigned long))                                               \
  F(mysql_store_result, MYSQL_RES *, (MYSQL *))                                                                  \
  F(mysql_fetch_row, MYSQL_ROW, (MYSQL_RES *))                                                                   \
  F(mysql_free_result, void, (MYSQL_RES *))                                                                      \
  F(mysql_get_ssl_cipher, const char *, (MYSQL *))                                                               \
  F(mysql_stmt_init, MYSQL_STMT *, (MYSQL *))                                                                    \
  F(mysql_stmt_prepare, int, (MYSQL_STMT *, const char *, unsigned long))                                        \
  F(mysql_stmt_attr_set, my_bool, (MYSQL_STMT *, enum enum_stmt_attr_type, const void *))                        \
  F(mysql_stmt_param_count, unsigned long, (MYSQL_STMT *))                                                       \
  F(mysql_stmt_field_count, unsigned int, (MYSQL_STMT *))                                                        \
  F(mysql_stmt_bind_param, my_bool, (MYSQL_STMT *, MYSQL_BIND *))                                                \
  F(mysql_stmt_bind_result, my_bool, (MYSQL_STMT *, MYSQL_BIND *))                                               \
  F(mysql_stmt_execute, int, (MYSQL_STMT *))                                                                     \
  F(mysql_stmt_store_result, int, (MYSQL_STMT *))                                                                \
  F(mysql_stmt_result_metadata, MYSQL_RES *, (MYSQL_STMT *))                                                     \
  F(mysql_fetch_field_direct, MYSQL_FIELD *, (MYSQL_RES *, unsigned int))                                        \
  F(mysql_stmt_fetch, int, (MYSQL_STMT *))                                                                       \
  F(mysql_stmt_affected_rows, unsigned long long, (MYSQL_STMT *))                                                \
  F(mysql_stmt_free_result, my_bool, (MYSQL_STMT *))                                                             \
  F(mysql_stmt_errno, unsigned int, (MYSQL_STMT *))                                                              \
  F(mysql_stmt_error, const char *, (MYSQL_STMT *))                                                              \
  F(mysql_stmt_close, my_bool, (MYSQL_STMT *))                                                                   \
  F(mariadb_connection, my_bool, (MYSQL *)) /* only theirs has it: its numbers of options are other than Oracle's */

struct mysql_api {
#define F(name, result, arguments) result (*name) arguments;
  MYSQL_FUNCTIONS(F)
#undef F
};

/* The library's functions, loaded once a process, for good.  file: its path or name; empty: the
 * usual ones.  Null with e filled. */
const struct mysql_api *mysql_api_load(const char *file, struct strerr *e);

#endif
