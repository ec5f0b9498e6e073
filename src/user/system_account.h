/* system_account: passwords of the accounts of this host, from its password file and its shadow
 * file, through NSS: a program that uses it is linked dynamically. */
#ifndef USER_SYSTEM_ACCOUNT_H
#define USER_SYSTEM_ACCOUNT_H

#include <shadow.h>
#include <sys/types.h>

#include "base/stralloc.h"
#include "base/strerr.h"

struct system_account {
  uid_t uid;
  gid_t gid;
  stralloc name, home;
  stralloc hash; /* "" or a text that is no hash: no password lets in */
  int expired;   /* account or password, today */
};

/* 1, 0 there is no such account (or it is root's, which no mail service takes), -1 with e filled: it
 * could not be found out, the right to read the shadow file is missing. */
int system_account_find(const char *name, struct system_account *a, struct strerr *e) MUST_CHECK;
/* The same without the shadow file, root's accounts too: hash is what the password file has in its place. */
int system_account_passwd(const char *name, struct system_account *a, struct strerr *e) MUST_CHECK;
/* Does the entry keep its account out on that day (since 1970)?  A password is too old when it must be
 * changed: nobody can do that in the middle of fetching mail. */
int shadow_expired(const struct spwd *s, long today);
/* May a program of this user ask about the account?  Root, the account itself and mailuser and qmaild:
 * whoever else could try passwords without being seen. */
int system_account_may_ask(uid_t asker, const struct system_account *a, const char *mailuser);
void system_account_free(struct system_account *a);

#endif
