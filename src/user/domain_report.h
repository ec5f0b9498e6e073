/* domain_report: what is known of a domain, as fields of a report (vdominfo). */
#ifndef USER_DOMAIN_REPORT_H
#define USER_DOMAIN_REPORT_H

#include "base/report.h"
#include "user/site.h"

enum {
  DOMAIN_SHOW_NAME = 1,
  DOMAIN_SHOW_UID = 2,
  DOMAIN_SHOW_GID = 4,
  DOMAIN_SHOW_DIR = 8,
  DOMAIN_SHOW_BASE = 16,
  DOMAIN_SHOW_USERS = 32,
  DOMAIN_SHOW_LIMITS = 64,
  DOMAIN_SHOW_ALIASES = 128,
  DOMAIN_SHOW_ALL = 255
};

/* The fields of these bits, into the record that was begun.  As the mail user, with the database open.
 * 0, or -1. */
int domain_report(struct site *s, const struct userdb_domain *d, unsigned what, struct report *r, struct strerr *e) MUST_CHECK;

#endif
