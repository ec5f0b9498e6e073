/* hashtab: things found by a hash, chained in buckets.  The link lies in the thing; the
 * caller compares.  The hash is seeded, for names come from outside. */
#ifndef SEND_HASHTAB_H
#define SEND_HASHTAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct hash_link {
  struct hash_link *next;
  uint64_t hash;
};

struct hashtab {
  struct hash_link **bucket;
  size_t n, a;
};

/* ASCII capitals count as small letters. */
uint64_t hash_bytes(uint64_t seed, const char *s, size_t n);
uint64_t hash_mix(uint64_t a, uint64_t b);
/* First of the chain in which this hash is, or null. */
struct hash_link *hashtab_chain(const struct hashtab *t, uint64_t hash);
/* 1, or 0 when memory ran out. */
int hashtab_add(struct hashtab *t, struct hash_link *l, uint64_t hash) MUST_CHECK;
void hashtab_remove(struct hashtab *t, struct hash_link *l);
void hashtab_free(struct hashtab *t);

#endif
