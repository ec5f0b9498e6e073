/* userdb_filter: the rules of vfilter(8) in the user database: of a user, or of prefilt and postfilt at a
 * domain, which are for all of its users and need not be users themselves. */
#ifndef USER_USERDB_FILTER_H
#define USER_USERDB_FILTER_H

#include "mail/filter.h"
#include "user/userdb.h"

struct userdb_filter {
  int64_t number;
  const char *name, *header, *keyword, *folder, *action;
  enum filter_comparison comparison;
};

/* By number; fn gives non-zero to end.  The texts are borrowed. */
typedef int (*userdb_filter_fn)(void *ctx, const struct userdb_filter *f);
enum userdb_result userdb_filter_each(struct userdb *db, const char *name, const char *domain, userdb_filter_fn fn, void *ctx, struct strerr *e) MUST_CHECK;
/* All that count for mail to one name, in the order they are tried: those of prefilt, the name's, those of postfilt.
 * owner is whose a rule is; its name and number are not told.  domain is the real one. */
typedef int (*userdb_filter_all_fn)(void *ctx, const char *owner, const struct userdb_filter *f);
enum userdb_result userdb_filter_all(struct userdb *db, const char *name, const char *domain, userdb_filter_all_fn fn, void *ctx, struct strerr *e) MUST_CHECK;
/* With the next number, which is filled in.  EXISTS: one that says the same; NONE: no such domain, or there
 * are FILTER_RULES_MAX. */
enum userdb_result userdb_filter_add(struct userdb *db, const char *name, const char *domain, struct userdb_filter *f, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_filter_change(struct userdb *db, const char *name, const char *domain, const struct userdb_filter *f, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_filter_delete(struct userdb *db, const char *name, const char *domain, int64_t number, struct strerr *e) MUST_CHECK;

#endif
