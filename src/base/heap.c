/* heap: see heap.h. */
#include "base/heap.h"

#include <stdlib.h>

int heap_reserve(struct heap *h, size_t n) {
  struct heap_entry **at;
  size_t a = h->a ? h->a : 64;

  if (n <= h->a) return 1;
  if (n > UINT32_MAX - 1) return 0;
  while (a < n) a *= 2;
  at = reallocarray(h->at, a, sizeof *at);
  if (!at) return 0;
  h->at = at;
  h->a = a;
  return 1;
}

static void place(struct heap *h, size_t i, struct heap_entry *e) {
  h->at[i] = e;
  e->slot = (uint32_t)i + 1;
}

static void sift_down(struct heap *h, size_t i, struct heap_entry *e) {
  for (;;) {
    size_t child = 2 * i + 1;

    if (child >= h->n) break;
    if (child + 1 < h->n && h->at[child + 1]->time < h->at[child]->time) ++child;
    if (h->at[child]->time >= e->time) break;
    place(h, i, h->at[child]);
    i = child;
  }
  place(h, i, e);
}

/* From place i to where its time puts e. */
static void sift(struct heap *h, size_t i, struct heap_entry *e) {
  while (i && h->at[(i - 1) / 2]->time > e->time) {
    place(h, i, h->at[(i - 1) / 2]);
    i = (i - 1) / 2;
  }
  sift_down(h, i, e);
}

void heap_set(struct heap *h, struct heap_entry *e, int64_t time) {
  e->time = time;
  if (!e->slot) {
    e->slot = (uint32_t)++h->n;
    h->at[e->slot - 1] = e;
  }
  sift(h, e->slot - 1, e);
}

void heap_remove(struct heap *h, struct heap_entry *e) {
  struct heap_entry *last;
  size_t i = e->slot;

  if (!i--) return;
  e->slot = 0;
  last = h->at[--h->n];
  if (last != e) sift(h, i, last);
}

struct heap_entry *heap_first(const struct heap *h) {
  return h->n ? h->at[0] : 0;
}

void heap_rebuild(struct heap *h) {
  for (size_t i = h->n / 2; i-- > 0;) sift_down(h, i, h->at[i]);
}

void heap_free(struct heap *h) {
  free(h->at);
  *h = (struct heap){0};
}
