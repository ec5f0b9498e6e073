/* site_check_part: what the files of site_check share among themselves. */
#ifndef USER_SITE_CHECK_PART_H
#define USER_SITE_CHECK_PART_H

#include "user/site_check.h"

/* What is being looked at. */
struct check_place {
  struct site *s;
  struct site_check *c;
  struct userdb_domain d;
  struct identity owner;
  stralloc base;     /* of the homes */
  const char *alias; /* another name of the domain; null: the domain itself */
};

/* Something that needs a person. */
void site_check_person(struct site_check *c, const char *object, const char *finding);
/* (site_check_files.c) Homes of the domain against the directories there are.  0 or -1. */
int site_check_homes(struct check_place *p, struct strerr *e) MUST_CHECK;
/* Does users/assign have the domain's line?  1 as it should be, 0, -1.  Calls line (if not null) for
 * every line that is one of a virtual domain, as long as it gives 0. */
typedef int (*site_check_line_fn)(void *ctx, const char *domain, const char *dir, struct strerr *e);
int site_check_assign(const struct userdb_domain *d, site_check_line_fn line, void *ctx, struct strerr *e) MUST_CHECK;

#endif
