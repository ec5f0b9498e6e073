/* layout_plan: see layout_plan.h. */
#include "user/layout_plan.h"

#include <stdlib.h>
#include <string.h>

/* The directories of one bucket that U users fill: 0 to last. */
struct shelf {
  uint64_t users, size, last;
  uint64_t *used;
};

/* Numbers n of users count from 1, and n / size is the directory: the first has one place less. */
static uint64_t room(const struct shelf *s, uint64_t directory) {
  uint64_t first = directory * s->size, places = s->users - first + (directory > 0);

  if (!directory) return s->users < s->size ? s->users : s->size - 1;
  return places < s->size ? places : s->size;
}

static int has_room(const struct shelf *s, uint64_t directory) {
  return directory <= s->last && s->used[directory] < room(s, directory);
}

struct task {
  const struct layout *l;
  const char *chosen;
  int anew;
  size_t bucket;
};

static int is_in(const struct task *t, size_t i) {
  return t->l->user[i].bucket == t->bucket && t->l->user[i].directory != LAYOUT_ELSEWHERE;
}

static int may_move(const struct task *t, size_t i) {
  return !t->chosen || t->chosen[i];
}

/* Who stays where he is: 1. */
static int stays(const struct task *t, struct shelf *s, size_t i) {
  uint64_t d = t->l->user[i].directory;

  if (may_move(t, i) && (t->anew || !has_room(s, d))) return 0;
  if (d <= s->last) ++s->used[d];
  return 1;
}

static void plan_bucket(const struct task *t, struct shelf *s, struct layout_plan *p) {
  uint64_t next = 0;

  for (int movable = 0; movable <= 1; ++movable) /* those who cannot move take their places first */
    for (size_t i = 0; i < t->l->users; ++i)
      if (is_in(t, i) && may_move(t, i) == movable && !stays(t, s, i)) p->target[i] = 0;
  for (size_t i = 0; i < t->l->users; ++i) {
    if (!is_in(t, i) || p->target[i] == LAYOUT_ELSEWHERE) continue;
    while (next < s->last && !has_room(s, next)) ++next;
    ++s->used[next];
    p->target[i] = next == t->l->user[i].directory ? LAYOUT_ELSEWHERE : next;
    p->moves += p->target[i] != LAYOUT_ELSEWHERE;
  }
}

int layout_plan(const struct layout *l, const char *chosen, int anew, struct layout_plan *p) {
  memset(p, 0, sizeof *p);
  p->target = calloc(l->users + 1, sizeof *p->target);
  if (!p->target) return 0;
  for (size_t i = 0; i < l->users; ++i) p->target[i] = LAYOUT_ELSEWHERE;
  for (size_t bucket = 0; bucket < DIRHASH_BUCKETS; ++bucket) {
    const struct task t = {l, chosen, anew, bucket};
    struct shelf s = {.size = l->per_level ? l->per_level : 1};

    for (size_t i = 0; i < l->users; ++i) s.users += (uint64_t)is_in(&t, i);
    p->users[bucket] = s.users;
    s.last = s.users / s.size;
    s.used = calloc(s.last + 1, sizeof *s.used);
    if (!s.used) return 0;
    plan_bucket(&t, &s, p);
    free(s.used);
  }
  return 1;
}

void layout_plan_free(struct layout_plan *p) {
  free(p->target);
  p->target = 0;
}
