/* heap: always the earliest first, whatever is put in, moved, taken out or changed in place. */
#include "base/heap.h"

#include "check.h"

#define THINGS 300
#define STEPS 20000

static struct heap_entry thing[THINGS];
static uint32_t seed = 1;

static uint32_t any(uint32_t below) {
  seed = seed * 1664525u + 1013904223u;
  return (seed >> 8) % below;
}

/* The earliest by looking at all. */
static int is_first(const struct heap *h) {
  const struct heap_entry *first = heap_first(h);
  size_t in = 0;

  for (int i = 0; i < THINGS; ++i) {
    if (!thing[i].slot) continue;
    ++in;
    if (!first || first->time > thing[i].time || h->at[thing[i].slot - 1] != &thing[i]) return 0;
  }
  return in == h->n && (in != 0) == (first != 0);
}

static void steps(void) {
  struct heap h = {0};

  CHECK(heap_first(&h) == 0);
  CHECK(heap_reserve(&h, THINGS));
  heap_remove(&h, &thing[0]);
  for (int n = 0; n < STEPS; ++n) {
    struct heap_entry *e = &thing[any(THINGS)];

    switch (any(8)) {
      case 0:
      case 1:
      case 2:
        heap_remove(&h, e);
        break;
      case 3:
        for (int i = 0; n % 16 == 0 && i < THINGS; ++i) thing[i].time = any(1000);
        heap_rebuild(&h);
        break;
      default:
        heap_set(&h, e, any(1000));
    }
    CHECK(is_first(&h));
  }
  for (int64_t last = 0; h.n;) {
    struct heap_entry *e = heap_first(&h);

    CHECK(e->time >= last);
    last = e->time;
    heap_remove(&h, e);
    CHECK(e->slot == 0);
  }
  heap_free(&h);
}

int main(void) {
  steps();
  return check_done();
}
