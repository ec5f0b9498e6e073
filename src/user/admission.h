/* admission: may a user, who is known to be who it is, come in now?  Service switches of the user,
 * files "nologin", expiry and switches of limits (vlimit), logins that follow too closely.  Asked by inlookup for
 * each login. */
#ifndef USER_ADMISSION_H
#define USER_ADMISSION_H

#include "user/userdb.h"

/* Of the site. */
struct admission_rules {
  int limits_everywhere;   /* DOMAIN_LIMITS: not only where vmoddomain -l 1 says so */
  uint64_t login_interval; /* MIN_LOGIN_INTERVAL: seconds from one login to the next, 0 any */
};

/* What is asked for. */
struct admission_service {
  const char *name;   /* "imap": part of the path of a file nologin */
  const char *record; /* its logins' name in lastauth, or null */
  uint32_t refused;   /* by this flag of the user */
  int inactive;       /* users that are not active may come too */
  int often;          /* its logins may follow each other at any time */
};

enum admission {
  ADMISSION_YES,
  ADMISSION_NO,    /* *why: a sentence for log and client */
  ADMISSION_LATER, /* the same */
  ADMISSION_TEMPFAIL,
};
/* Flags of limits that hold for u are his own afterwards. */
enum admission admission_judge(struct userdb *db, struct userdb_user *u, const struct admission_service *s,
                               const struct admission_rules *rules, const char **why, struct strerr *e) MUST_CHECK;

#endif
