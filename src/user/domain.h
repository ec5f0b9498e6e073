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
  int filter;          /* mail goes through vfilter */
  uint64_t per_level;  /* users a directory; 0: the setting's */
  int no_compile;      /* leave users/cdb alone: the caller runs qmail-newu later */
  int check_rcpt;      /* list it in chkrcptdomains too */
};

/* Add: 0, or -1 with e filled (permanent: the domain exists). */
int domain_add(struct site *s, const struct domain_new *n, struct strerr *e) MUST_CHECK;
/* Remove all there is of it, its alias domains first; or an alias domain alone: 0, or -1 with e filled (permanent: there was nothing). */
int domain_delete(struct site *s, const char *name, struct strerr *e) MUST_CHECK;
/* Another name for a domain, with all its users and their mail.  A program
 * killed meanwhile leaves a note (user/unfinished.h) by which the next one goes on. */
int domain_rename(struct site *s, const char *old, const char *new, struct strerr *e) MUST_CHECK;

struct domain_change {
  const char *handler; /* null: as it is */
  int filter, limits;  /* -1: as it is */
  const char *method;  /* -H: hash of new passwords; null: as it is, "": the site's */
};
int domain_modify(struct site *s, const char *name, const struct domain_change *c, struct strerr *e) MUST_CHECK;

#endif
