/* userdb_list: lists of the SMTP server (smtp/lists.def) that are kept in the user database.  An entry
 * is a line of a list, without wildcards, in lower case, with ! before it where it takes back. */
#ifndef USER_USERDB_LIST_H
#define USER_USERDB_LIST_H

#include "mail/addrkeys.h"
#include "user/userdb.h"

/* What the list says of a subject, by its most exact entry, ! first: FOUND with *verdict filled;
 * TEMPFAIL. */
enum userdb_result userdb_list_find(struct userdb *db, const char *list, enum addrset_subject what, const char *subject, size_t n,
                                    enum addrset_verdict *verdict, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_list_add(struct userdb *db, const char *list, const char *entry, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_list_delete(struct userdb *db, const char *list, const char *entry, struct strerr *e) MUST_CHECK;
/* All of the list are these entries now, or nothing has changed. */
enum userdb_result userdb_list_replace(struct userdb *db, const char *list, const struct strlist *entries, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_list_show(struct userdb *db, const char *list, struct strlist *entries, struct strerr *e) MUST_CHECK;

#endif
