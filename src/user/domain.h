/* domain: a virtual domain as a whole: its directory, users/assign and users/cdb, the
 * control files, the database rows.  Each change is made in an order in which mail for
 * the domain is accepted only when everything behind it stands, and a program killed
 * at any step leaves something that running it again (or removing the domain) mends. */
#ifndef USER_DOMAIN_H
#define USER_DOMAIN_H

#include "user/site.h"

struct domain_new {
  const char *name;
  struct identity owner;
  const char *dir;     /* directory the domain's is made below; "" PATH_DOMAINS */
  const char *base;    /* directory of the mailboxes; "" PATH_MAIL */
  const char *handler; /* last word of .qmail-default, as vdeliver_action_ok wants it */
  const char *hash, *scram; /* postmaster's password */
  struct quota quota;  /* postmaster's */
  int no_compile;      /* leave users/cdb alone: the caller runs qmail-newu later */
  int check_rcpt;      /* list it in chkrcptdomains too */
};

/* Add: 0, or -1 with e filled (permanent: the domain exists). */
int domain_add(struct site *s, const struct domain_new *n, struct strerr *e) MUST_CHECK;
/* Remove all there is of it: 0, or -1 with e filled (permanent: there was nothing). */
int domain_delete(struct site *s, const char *name, struct strerr *e) MUST_CHECK;

#endif
