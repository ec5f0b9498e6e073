/* userdb_part: what the files of userdb share among themselves; others include userdb.h. */
#ifndef USER_USERDB_PART_H
#define USER_USERDB_PART_H

#include "user/userdb.h"

enum userdb_result userdb_no_memory(struct strerr *e);
enum userdb_result userdb_result_of(enum sql_verdict v);
/* Of a statement that changes rows: FOUND when it changed some. */
enum userdb_result userdb_changed(struct userdb *db, enum sql_verdict v);
/* Column i of the row before us: 1, or 0 without memory. */
int userdb_column(struct userdb *db, enum query q, int i, stralloc *to) MUST_CHECK;
/* Ends a query after its row was taken over: ok says whether memory sufficed. */
enum userdb_result userdb_taken(struct userdb *db, enum query q, int ok, struct strerr *e);
/* Adds columns 0 to n-1 of every row to a list, emptied before. */
enum userdb_result userdb_collect(struct userdb *db, enum query q, enum sql_verdict v, int n, struct strlist *list,
                                  struct strerr *e);
/* Commits what went well and takes back what did not. */
enum userdb_result userdb_finish(struct userdb *db, enum userdb_result r, struct strerr *e);
/* As the first query of a transaction that counts what the domain has: others who count wait. */
enum userdb_result userdb_domain_lock(struct userdb *db, const char *domain, struct strerr *e) MUST_CHECK;
/* Within a transaction of the caller's: the home of the next user of this bucket. */
enum userdb_result userdb_choose_home(struct userdb *db, const struct userdb_new_user *n, stralloc *home,
                                      struct strerr *e) MUST_CHECK;

#endif
