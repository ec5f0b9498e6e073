/* userdb_change: users and domains of the database under other names, in other places,
 * with other rights.  Each call is one transaction.  Results as in userdb.h. */
#ifndef USER_USERDB_CHANGE_H
#define USER_USERDB_CHANGE_H

#include "user/userdb.h"

/* The home a new user of n->base and n->domain would get; the place counts as taken, unless that is only asked. */
enum userdb_result userdb_home_next(struct userdb *db, const struct userdb_new_user *n, int only_asked, stralloc *home,
                                    struct strerr *e) MUST_CHECK;
/* How many places below a bucket were given away: NONE, and 0, where no user was ever placed there. */
enum userdb_result userdb_placed(struct userdb *db, const char *domain, const char *bucket, uint64_t *n, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_placed_set(struct userdb *db, const char *domain, const char *bucket, uint64_t n, struct strerr *e) MUST_CHECK;
struct userdb_place_of {
  const char *name, *domain, *home;
};
/* Another name, with everything that belongs to the user, and the alias lines of others that
 * name it or its home.  Also the same name in another home.  EXISTS: the new name is taken. */
enum userdb_result userdb_user_move(struct userdb *db, const struct userdb_place_of *from, const struct userdb_place_of *to,
                                    struct strerr *e) MUST_CHECK;

/* Another name, directory and homes: those below base/BUCKET/old/ are then below base/BUCKET/new/. */
enum userdb_result userdb_domain_rename(struct userdb *db, const char *old, const char *new, const char *dir,
                                        const char *base, struct strerr *e) MUST_CHECK;


#endif
