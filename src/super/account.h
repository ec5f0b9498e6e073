/* account: users and groups of the system by name or number.  Asks NSS, so a
 * program that uses it is linked dynamically. */
#ifndef SUPER_ACCOUNT_H
#define SUPER_ACCOUNT_H

#include <sys/types.h>

#include "base/stralloc.h"
#include "base/strerr.h"

#define ACCOUNT_GROUPS 64

struct account {
  uid_t uid;
  gid_t gid;
  gid_t group[ACCOUNT_GROUPS]; /* supplementary */
  size_t groups;
  stralloc name, home; /* empty when found by number only */
};

/* An account's ids and its own group, no supplementary ones: 1, 0 no such account,
 * -1 with e filled. */
int account_find(const char *name, struct account *a, struct strerr *e) MUST_CHECK;
/* Add the groups the system has this account in.  0 or -1. */
int account_own_groups(struct account *a, struct strerr *e) MUST_CHECK;
/* Add groups from a list "name,name,123".  The first becomes the account's group
 * when first_is_gid.  0 or -1. */
int account_add_groups(struct account *a, const char *list, int first_is_gid, struct strerr *e) MUST_CHECK;
/* Give up root for it, for good.  0 or -1 with errno. */
int account_become(const struct account *a) MUST_CHECK;
void account_free(struct account *a);

#endif
