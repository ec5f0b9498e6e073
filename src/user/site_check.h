/* site_check: does everything there is of the virtual domains fit together: user database, directories
 * of domains and mailboxes, users/assign, control files (vdominfo --check, --repair)?  What can be
 * mended without guessing is: nothing that may hold mail is ever removed, and no mailbox changes its
 * owner. */
#ifndef USER_SITE_CHECK_H
#define USER_SITE_CHECK_H

#include "user/site.h"

enum check_outcome {
  CHECK_MENDED,
  CHECK_MENDABLE, /* --repair would */
  CHECK_PERSON,   /* needs somebody who knows what is meant */
};

struct site_check {
  int repair;
  void (*tell)(void *ctx, const char *object, const char *finding, enum check_outcome outcome);
  void *ctx;
  uint64_t found, left; /* left: not mended */
};

/* Of a domain (which may be an alias domain), or (null) of all and of what belongs to none.  0, or -1
 * (permanent: no such domain). */
int site_check_run(struct site *s, const char *domain, struct site_check *c, struct strerr *e) MUST_CHECK;

#endif
