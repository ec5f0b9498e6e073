/* Homes as directories, and who has to move: against directories counted one by one, for many
 * random layouts. */
#include "user/layout_plan.h"

#include <stdlib.h>

#include "check.h"

static const struct {
  const char *name, *home;
  size_t bucket;
  uint64_t directory;
} homes[] = {
    {"ann", "/m/A2E/d.e/ann", 0, 0},
    {"a", "/m/A2E/d.e/0/a,", 0, 1},
    {"bob", "/m/A2E/d.e/z/bob", 0, 62},
    {"bob", "/m/A2E/d.e/0/0/bob", 0, 63},
    {"bob", "/m/A2E/d.e/z/z/z/bob", 0, 62 + 62 * 62 + 62 * 62 * 62},
    {"bob", "/m/A2E/d.e/0/0/0/0/bob", 0, LAYOUT_ELSEWHERE},
    {"bob", "/m/A2E/d.e/00/bob", 0, LAYOUT_ELSEWHERE},
    {"bob", "/m/A2E/d.e//bob", 0, LAYOUT_ELSEWHERE},
    {"bob", "/m/A2E/d.e/-/bob", 0, LAYOUT_ELSEWHERE},
    {"bob", "/m/A2E/d.f/bob", 0, LAYOUT_ELSEWHERE},
    {"bob", "/m/A2E/d.e", 0, LAYOUT_ELSEWHERE},
    {"bob", "bob", 0, LAYOUT_ELSEWHERE},
    {"bob", "", 0, LAYOUT_ELSEWHERE},
    {"zoe", "/m/T2Zsym/d.e/zoe", 4, 0},
    {"zoe", "/m/A2E/d.e/zoe", 4, LAYOUT_ELSEWHERE},
};

static void start(struct layout *l) {
  memset(l, 0, sizeof *l);
  CHECK(stralloc_copys(&l->domain, "d.e") && stralloc_copys(&l->base, "/m"));
}

static void taken(void) {
  struct layout l;

  start(&l);
  for (size_t i = 0; i < sizeof homes / sizeof *homes; ++i)
    CHECK(strlist_add(&l.names, homes[i].name, strlen(homes[i].name)) && strlist_add(&l.homes, homes[i].home, strlen(homes[i].home)));
  CHECK(layout_take(&l) && l.users == sizeof homes / sizeof *homes);
  for (size_t i = 0; i < l.users; ++i)
    CHECK_CASE(l.user[i].bucket == homes[i].bucket && l.user[i].directory == homes[i].directory, homes[i].home);
  layout_free(&l);
  CHECK(layout_take(&l) && !l.users);
}

#define USERS 300

/* Some users of one bucket in random directories. */
static void scatter(struct layout *l, size_t users, uint64_t directories, uint64_t per_level) {
  start(l);
  for (size_t i = 0; i < users; ++i) {
    char name[16];
    stralloc home = STRALLOC_INIT;
    int n = snprintf(name, sizeof name, "b%03zu", i);

    CHECK(n > 0 && dirhash_home(&home, "/m", "d.e", name, (uint64_t)rand() % directories, 1) && strlist_add(&l->names, name, (size_t)n) &&
          strlist_add(&l->homes, home.s, home.len));
    stralloc_free(&home);
  }
  l->per_level = per_level;
  CHECK(layout_take(l) && l->users == users);
}

static uint64_t after(const struct layout *l, const struct layout_plan *p, size_t i) {
  return p->target[i] == LAYOUT_ELSEWHERE ? l->user[i].directory : p->target[i];
}

/* Everybody may move: afterwards user k of an empty layout would find the same numbers. */
static void closed_up(size_t users, uint64_t directories, uint64_t per_level, int anew) {
  struct layout l;
  struct layout_plan p;
  uint64_t have[USERS + 2] = {0}, want[USERS + 2] = {0}, before[USERS + 2] = {0}, stay = 0;
  size_t moves = 0;

  scatter(&l, users, directories, per_level);
  CHECK(layout_plan(&l, 0, anew, &p));
  for (size_t i = 0; i < users; ++i) {
    CHECK(after(&l, &p, i) <= USERS + 1 && p.target[i] != l.user[i].directory);
    ++have[after(&l, &p, i)];
    ++want[(i + 1) / per_level];
    if (l.user[i].directory <= USERS + 1) ++before[l.user[i].directory];
    moves += p.target[i] != LAYOUT_ELSEWHERE;
    if (anew) CHECK(after(&l, &p, i) == (i + 1) / per_level);
  }
  for (size_t i = 0; i < USERS + 2; ++i) stay += before[i] < want[i] ? before[i] : want[i];
  CHECK(!memcmp(have, want, sizeof have) && p.moves == moves && p.users[0] == users && p.users[1] == 0);
  CHECK(anew || moves == users - stay);
  layout_plan_free(&p);
  layout_free(&l);
}

/* Only some may: nobody else moves, and nobody goes where all places are taken. */
static void some(size_t users, uint64_t directories, uint64_t per_level) {
  struct layout l;
  struct layout_plan p;
  char chosen[USERS];
  uint64_t have[USERS + 2] = {0};

  for (size_t i = 0; i < users; ++i) chosen[i] = (char)(rand() % 3 == 0);
  scatter(&l, users, directories, per_level);
  CHECK(layout_plan(&l, chosen, rand() % 2, &p));
  for (size_t i = 0; i < users; ++i)
    if (after(&l, &p, i) <= USERS + 1) ++have[after(&l, &p, i)];
  for (size_t i = 0; i < users; ++i) {
    CHECK(chosen[i] || p.target[i] == LAYOUT_ELSEWHERE);
    if (p.target[i] != LAYOUT_ELSEWHERE) CHECK(p.target[i] <= users / per_level && have[p.target[i]] <= per_level);
  }
  layout_plan_free(&p);
  layout_free(&l);
}

int main(void) {
  struct layout l;
  struct layout_plan p;

  srand(1);
  taken();
  start(&l);
  CHECK(layout_plan(&l, 0, 0, &p) && !p.moves);
  layout_plan_free(&p);
  layout_free(&l);
  for (int i = 0; i < 300; ++i) {
    size_t users = 1 + (size_t)rand() % USERS;
    uint64_t directories = 1 + (uint64_t)rand() % 400, per_level = 1 + (uint64_t)rand() % 50;

    closed_up(users, directories, per_level, i % 3 == 0);
    some(users, directories, per_level);
  }
  return check_done();
}
