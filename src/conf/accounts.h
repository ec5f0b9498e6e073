/* accounts: the system users our programs run as.  Reads the password file through
 * NSS, so a program that uses it is linked dynamically. */
#ifndef CONF_ACCOUNTS_H
#define CONF_ACCOUNTS_H

#include <sys/types.h>

#include "base/attr.h"
#include "base/spawn.h"
#include "base/strerr.h"

#define ACCOUNT_GROUPS 16

struct account {
  uid_t uid;
  gid_t gid;
  gid_t groups[ACCOUNT_GROUPS];
  size_t ngroups;
};

/* With root's rights: the named account with its supplementary groups; an ordinary
 * user gets itself, whatever the name.  0 or -1 with e filled. */
int accounts_find(const char *name, struct account *a, struct strerr *e) MUST_CHECK;
/* Make the child that account: nothing to do for an ordinary user. */
void accounts_apply(const struct account *a, struct spawn *s);

#endif
