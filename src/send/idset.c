/* idset: see idset.h. */
#include "send/idset.h"

#include <stdlib.h>

static size_t home(const struct idset *s, uint64_t id) {
  return (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (s->a - 1);
}

static size_t find(const struct idset *s, uint64_t id) {
  size_t i = home(s, id);

  while (s->slot[i] && s->slot[i] != id) i = (i + 1) & (s->a - 1);
  return i;
}

static int grow(struct idset *s) {
  struct idset bigger = {.a = s->a ? s->a * 2 : 64, .n = s->n};

  bigger.slot = calloc(bigger.a, sizeof *bigger.slot);
  if (!bigger.slot) return 0;
  for (size_t i = 0; i < s->a; ++i)
    if (s->slot[i]) bigger.slot[find(&bigger, s->slot[i])] = s->slot[i];
  free(s->slot);
  *s = bigger;
  return 1;
}

int idset_add(struct idset *s, uint64_t id) {
  size_t i;

  if (2 * (s->n + 1) > s->a && !grow(s)) return -1;
  i = find(s, id);
  if (s->slot[i]) return 0;
  s->slot[i] = id;
  s->n++;
  return 1;
}

int idset_has(const struct idset *s, uint64_t id) {
  return s->a && id && s->slot[find(s, id)];
}

void idset_remove(struct idset *s, uint64_t id) {
  size_t i, j;

  if (!idset_has(s, id)) return;
  i = j = find(s, id);
  s->slot[i] = 0;
  s->n--;
  /* Move up what would not be found across the gap. */
  for (;;) {
    size_t h;

    j = (j + 1) & (s->a - 1);
    if (!s->slot[j]) return;
    h = home(s, s->slot[j]);
    if (((j - h) & (s->a - 1)) < ((j - i) & (s->a - 1))) continue;
    s->slot[i] = s->slot[j];
    s->slot[j] = 0;
    i = j;
  }
}

void idset_free(struct idset *s) {
  free(s->slot);
  s->slot = 0;
  s->n = s->a = 0;
}
