/* account_target: what new users of a domain have in common, whether one is added or many: the domain by
 * its real name, where homes go, the limits and the quota. */
#ifndef USER_ACCOUNT_TARGET_H
#define USER_ACCOUNT_TARGET_H

#include "user/limits.h"
#include "user/site.h"

struct account_target {
  struct userdb_domain d;
  stralloc real, base;
  uint64_t per_level; /* users a directory */
  struct limits limits;
  struct quota quota; /* of who has none of his own */
};

struct account_wish {
  const char *domain;        /* which may be an alias domain */
  const char *base;          /* directory the homes are below; "" the domain's */
  uint64_t per_level;        /* 0: the domain's */
  const struct quota *quota; /* null: the domain's, or the site's */
};

/* The database is open, and the caller the mail user.  0, or -1 with e filled (permanent: no such domain,
 * its limits do not allow new users, or the site's quota is none).  Free it in any case. */
int account_target_find(struct site *s, const struct account_wish *w, struct account_target *t, struct strerr *e) MUST_CHECK;
/* How many users the domain may have: null, any number. */
const int64_t *account_target_max(const struct account_target *t);
/* A home that lies there already would give a former user's mail to the new one; an empty one does no harm, and goes.
 * As the owner of the domain.  0, or -1 with e filled (permanent: there is something). */
int account_home_free(const char *home, struct strerr *e) MUST_CHECK;
void account_target_free(struct account_target *t);

#endif
