/* layout: how the homes of a domain lie in the directories of user/dirhash.h. */
#ifndef USER_LAYOUT_H
#define USER_LAYOUT_H

#include "user/dirhash.h"
#include "user/site.h"

#define LAYOUT_ELSEWHERE UINT64_MAX

struct layout_user {
  const char *name, *home;  /* point into names and homes */
  size_t bucket;
  uint64_t directory; /* its number (user/dirhash.h); LAYOUT_ELSEWHERE: the home is outside this layout */
};

struct layout {
  stralloc domain, base, dir; /* real name; of the homes; of the domain */
  struct identity owner;
  uint64_t per_level;
  uint64_t placed[DIRHASH_BUCKETS]; /* how many places were given away: the next user's follows */
  struct strlist names, homes;
  struct layout_user *user;
  size_t users;
};

/* Of a domain (which may be an alias domain).  The database is opened if it is not.  0, or -1
 * (permanent: no such domain). */
int layout_read(struct site *s, const char *domain, struct layout *l, struct strerr *e) MUST_CHECK;
/* The same of names and homes that are there, with base and domain: 1, or 0 when memory ran out. */
int layout_take(struct layout *l) MUST_CHECK;
void layout_free(struct layout *l);

#endif
