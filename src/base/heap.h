/* heap: things that have a time, the earliest first.  The entry lies in the thing, so
 * that nothing is allocated for one and it can be taken out or moved in O(log n). */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct heap_entry {
  int64_t time;
  uint32_t slot; /* its place + 1; 0: in no heap */
};

struct heap {
  struct heap_entry **at;
  size_t n, a;
};

/* Room for n entries in all: 1, or 0 when memory ran out.  Inserting never fails then. */
int heap_reserve(struct heap *h, size_t n) MUST_CHECK;
/* Put in, for which there must be room; or move, if it is in. */
void heap_set(struct heap *h, struct heap_entry *e, int64_t time);
/* Take out; fine if it is not in. */
void heap_remove(struct heap *h, struct heap_entry *e);
/* The earliest, or null. */
struct heap_entry *heap_first(const struct heap *h);
/* After the times of entries were changed in place. */
void heap_rebuild(struct heap *h);
void heap_free(struct heap *h);

#endif
