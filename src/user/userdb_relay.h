/* userdb_relay: who has logged in to read mail, and from which address: such an address may send
 * (POP or IMAP before SMTP). */
#ifndef USER_USERDB_RELAY_H
#define USER_USERDB_RELAY_H

#include "user/userdb.h"

/* At that time, from ip. */
enum userdb_result userdb_relay_set(struct userdb *db, const char *ip, const char *address, int64_t at, struct strerr *e) MUST_CHECK;
/* The last one from there, no longer ago than seconds. */
enum userdb_result userdb_relay_get(struct userdb *db, const char *ip, uint64_t seconds, stralloc *address, struct strerr *e) MUST_CHECK;
/* All addresses of logins no longer ago than seconds. */
enum userdb_result userdb_relay_list(struct userdb *db, uint64_t seconds, struct strlist *addresses, struct strerr *e) MUST_CHECK;
/* Forget what is older; *n of them. */
enum userdb_result userdb_relay_clear(struct userdb *db, uint64_t seconds, int64_t *n, struct strerr *e) MUST_CHECK;

#endif
