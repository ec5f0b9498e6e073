/* userdb_map: two small tables of the user database: ip_alias_map, the domain of users who log in to
 * an address of ours without one, and atrn_map, the domains a user may fetch with ATRN.  Results
 * as in userdb.h; domains may be alias domains, what is stored is the real one. */
#ifndef USER_USERDB_MAP_H
#define USER_USERDB_MAP_H

#include "user/userdb.h"

enum userdb_result userdb_ipmap_get(struct userdb *db, const char *ip, stralloc *domain, struct strerr *e) MUST_CHECK;
/* Pairs: address, domain ... */
enum userdb_result userdb_ipmap_list(struct userdb *db, struct strlist *pairs, struct strerr *e) MUST_CHECK;
/* NONE: no such domain; EXISTS: the address has one. */
enum userdb_result userdb_ipmap_add(struct userdb *db, const char *ip, const char *domain, struct strerr *e) MUST_CHECK;
/* NONE: no such domain, or the address has none. */
enum userdb_result userdb_ipmap_change(struct userdb *db, const char *ip, const char *domain, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_ipmap_delete(struct userdb *db, const char *ip, const char *domain, struct strerr *e) MUST_CHECK;

/* Triples: user, domain, list ...; user or domain "": all of them. */
enum userdb_result userdb_atrn_show(struct userdb *db, const char *user, const char *domain, struct strlist *triples, struct strerr *e) MUST_CHECK;
/* NONE: no such user. */
enum userdb_result userdb_atrn_add(struct userdb *db, const char *user, const char *domain, const char *list, struct strerr *e) MUST_CHECK;
/* NONE: no such user, or not this list; EXISTS: the new one is there. */
enum userdb_result userdb_atrn_change(struct userdb *db, const char *user, const char *domain, const char *old, const char *list,
                                      struct strerr *e) MUST_CHECK;
enum userdb_result userdb_atrn_delete(struct userdb *db, const char *user, const char *domain, const char *list, struct strerr *e) MUST_CHECK;

#endif
