/* idset: a set of message ids (open addressing; no deletion marks left behind). */
#ifndef SEND_IDSET_H
#define SEND_IDSET_H

#include <stddef.h>
#include <stdint.h>

#include "base/stralloc.h"

struct idset {
  uint64_t *slot; /* 0: free; so 0 is no member */
  size_t n, a;
};

/* 1 added, 0 was there, -1 no memory. */
int idset_add(struct idset *s, uint64_t id) MUST_CHECK;
int idset_has(const struct idset *s, uint64_t id);
void idset_remove(struct idset *s, uint64_t id);
void idset_free(struct idset *s);

#endif
