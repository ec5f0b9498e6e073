/* reorganize: the homes of a domain moved so that its directories are filled in their order (vreorg). */
#ifndef USER_REORGANIZE_H
#define USER_REORGANIZE_H

#include "base/progress.h"
#include "user/site.h"

struct reorganize {
  const char *domain;
  struct strlist *only; /* names: those alone may move; empty: all.  Is sorted */
  uint64_t per_level;         /* users a directory from now on; 0: as it is */
  int anew;                   /* all places by the order of names, however many move */
  int keep;                   /* the count of places given away is not lowered */
  int dry;
  void (*tell)(void *ctx, const char *name, const char *old, const char *home);
  void (*fault)(void *ctx, const struct strerr *e); /* one user could not be moved; the others are */
  void *ctx;
  struct progress progress;
};

/* Directories that hold no user in the end are removed.  Each move as by user/account.h: who is killed meanwhile leaves each user whole, in his old place or
 * his new one.  0, or -1 where it cannot go on. */
int reorganize_run(struct site *s, struct reorganize *g, struct strerr *e) MUST_CHECK;

#endif
