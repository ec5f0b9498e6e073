/* answer_cache: what inlookup last answered to a question, for the time when its database cannot be
 * asked.  Bounded: a question has one place, which the next one with that place takes over. */
#ifndef USER_ANSWER_CACHE_H
#define USER_ANSWER_CACHE_H

#include <stdint.h>

#include "base/stralloc.h"

#define ANSWER_CACHE_PLACES 4096
#define ANSWER_CACHE_BYTES 2048 /* question and answer together; longer ones are not kept */

struct answer_cache {
  struct answer_place *place; /* null before the first is kept */
};

/* seconds since the start of something that never jumps in now. */
void answer_cache_put(struct answer_cache *c, const stralloc *question, const char *answer, size_t n, int64_t now);
/* It has another answer now, which is not to be kept. */
void answer_cache_drop(struct answer_cache *c, const stralloc *question);
/* The answer, if it is no older than age: 1 with it appended, 0; without memory 0 too. */
int answer_cache_get(const struct answer_cache *c, const stralloc *question, int64_t now, int64_t age, stralloc *answer);
void answer_cache_free(struct answer_cache *c);

#endif
