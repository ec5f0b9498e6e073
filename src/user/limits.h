/* limits: what a domain, or one user of it, may have (table vlimits, program vlimit).
 *
 * They hold where the file .domain_limits stands in the domain's directory (vmoddomain -l 1)
 * or DOMAIN_LIMITS is set, and not for a user with USER_OVERRIDE_LIMITS.  The row of a user
 * has precedence over that of its domain. */
#ifndef USER_LIMITS_H
#define USER_LIMITS_H

#include "user/quota.h"
#include "user/site.h"

/* In the order of LIMITS_COLUMNS of sql/queries.def. */
enum limit {
  LIMIT_DOMAIN_EXPIRY, /* seconds since 1970, -1 never */
  LIMIT_PASSWD_EXPIRY,
  LIMIT_ACCOUNTS, /* -1: no limit */
  LIMIT_ALIASES,
  LIMIT_FORWARDS,
  LIMIT_AUTORESPONDERS,
  LIMIT_LISTS,
  LIMIT_DISK_QUOTA, /* bytes, 0: no limit */
  LIMIT_MESSAGES,
  LIMIT_DEFAULT_QUOTA, /* 0: the site's */
  LIMIT_DEFAULT_MESSAGES,
  LIMIT_NO_POP, /* 1: switched off */
  LIMIT_NO_IMAP,
  LIMIT_NO_DIALUP,
  LIMIT_NO_PASSWD_CHANGE,
  LIMIT_NO_WEBMAIL,
  LIMIT_NO_RELAY,
  LIMIT_NO_SMTP,
  LIMIT_PERM_ACCOUNT, /* bits of enum limit_perm that are refused */
  LIMIT_PERM_ALIAS,
  LIMIT_PERM_FORWARD,
  LIMIT_PERM_AUTORESPONDER,
  LIMIT_PERM_LIST, /* three groups of three bits: list, its users, its moderators */
  LIMIT_PERM_QUOTA,
  LIMIT_PERM_DEFAULT_QUOTA,
  LIMITS
};
enum limit_perm { LIMIT_CREATE = 1, LIMIT_MODIFY = 2, LIMIT_DELETE = 4 };

struct limits {
  int64_t v[LIMITS];
};

#define LIMITS_FILE ".domain_limits" /* in the domain's directory */

/* The row of the user, or that of its domain ("" as user: that of the domain), whether they hold or not.
 * NONE: there is neither, and l has no limits. */
enum userdb_result limits_read(struct userdb *db, const char *domain, const char *user, struct limits *l,
                               struct strerr *e) MUST_CHECK;
/* The row of a domain, or of one of its users; domain is a real one.  get: NONE, and no limits in l,
 * where there is none.  set: NONE where there is no such domain. */
enum userdb_result limits_get(struct userdb *db, const char *domain, const char *user, struct limits *l, struct strerr *e) MUST_CHECK;
enum userdb_result limits_set(struct userdb *db, const char *domain, const char *user, const struct limits *l, struct strerr *e) MUST_CHECK;
enum userdb_result limits_delete(struct userdb *db, const char *domain, const char *user, struct strerr *e) MUST_CHECK;
/* Are limits switched on for the domain with this directory?  1, 0, -1.  Called as the mail user. */
int limits_switched_on(struct site *s, const char *dir, struct strerr *e) MUST_CHECK;
/* Those that hold for the user now ("": for what is new in the domain); dir is the domain's.  0 or -1. */
int limits_in_force(struct site *s, const char *domain, const char *dir, const char *user, struct limits *l,
                    struct strerr *e) MUST_CHECK;
/* What is switched off, as flags of a user (user/userdb.h). */
uint32_t limits_flags(const struct limits *l);
/* Null, or why the quota is more than the limits allow. */
const char *limits_quota_fault(const struct limits *l, const struct quota *q);

#endif
