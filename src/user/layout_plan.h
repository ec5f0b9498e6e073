/* layout_plan: which homes have to move so that the directories of a layout are filled in their
 * order.  Pure. */
#ifndef USER_LAYOUT_PLAN_H
#define USER_LAYOUT_PLAN_H

#include "user/layout.h"

struct layout_plan {
  uint64_t *target; /* by user: the directory to move to; LAYOUT_ELSEWHERE: he stays */
  size_t moves;
  uint64_t users[DIRHASH_BUCKETS]; /* in the layout: the places that are taken afterwards */
};

/* Only users with chosen[i] move (null: all may); those elsewhere never do.  With as few moves as can
 * be; anew: every user gets the place that follows from the order of names.  1, or 0 (memory). */
int layout_plan(const struct layout *l, const char *chosen, int anew, struct layout_plan *p) MUST_CHECK;
void layout_plan_free(struct layout_plan *p);

#endif
