/* Which file system is chosen, and whose users are whose. */
#include "user/fstab.h"

#include <string.h>

#include "check.h"

#define M 1048576

static const struct {
  const char *name;
  struct {
    int online;
    int64_t max_users, cur_users, free;
  } row[3]; /* a, b, c */
  const char *want;
} cases[] = {
    {"fewest users a megabyte", {{1, 0, 10, 10 * M}, {1, 0, 5, 10 * M}, {1, 0, 10, 15 * M}}, "b"},
    {"more room, more users", {{1, 0, 10, 10 * M}, {1, 0, 15, 20 * M}, {1, 0, 30, 20 * M}}, "b"},
    {"empty ones: the larger", {{1, 0, 0, 10 * M}, {1, 0, 0, 20 * M}, {1, 0, 0, 5 * M}}, "b"},
    {"equal: the first", {{1, 0, 5, 10 * M}, {1, 0, 5, 10 * M}, {0, 0, 0, 0}}, "a"},
    {"offline", {{0, 0, 0, 10 * M}, {1, 0, 9, 10 * M}, {0, 0, 0, 10 * M}}, "b"},
    {"full of users", {{1, 5, 5, 10 * M}, {1, 50, 49, 10 * M}, {1, 5, 6, 10 * M}}, "b"},
    {"full of bytes", {{1, 0, 0, 0}, {1, 0, 0, -1}, {1, 0, 1000, 1}}, "c"},
    {"none", {{0, 0, 0, M}, {1, 1, 1, M}, {1, 0, 0, 0}}, 0},
    {"huge", {{1, 0, INT64_MAX, INT64_MAX}, {1, 0, INT64_MAX, 1}, {1, 0, INT64_MAX, 2}}, "a"},
};

int main(void) {
  static const char *const names[] = {"a", "b", "c"};
  static const char *const paths[] = {"/", "/home", "/home2", "/home/mail/", "/var"};
  static const int64_t total[] = {100, 30, 20, 10, 5};
  static const int64_t own[] = {100 - 30 - 20 - 5, 20, 20, 10, 5};
  struct fstab_row row[5] = {{.online = 0}};
  struct fstab f = {row, 3};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const struct fstab_row *best;

    for (size_t k = 0; k < 3; ++k) {
      CHECK(stralloc_copys(&row[k].filesystem, names[k]));
      row[k].online = cases[i].row[k].online;
      row[k].max_users = cases[i].row[k].max_users;
      row[k].cur_users = cases[i].row[k].cur_users;
      row[k].cur_size = cases[i].row[k].free;
    }
    best = fstab_choose(&f);
    CHECK_CASE(cases[i].want ? best && stralloc_equals(&best->filesystem, cases[i].want) : !best, cases[i].name);
  }
  f.len = 5;
  for (size_t k = 0; k < 5; ++k) CHECK(stralloc_copys(&row[k].filesystem, paths[k]));
  fstab_own_users(&f, total);
  for (size_t k = 0; k < 5; ++k) CHECK_CASE(row[k].cur_users == own[k], paths[k]);
  f.len = 0;
  CHECK(!fstab_choose(&f));
  for (size_t k = 0; k < 5; ++k) stralloc_free(&row[k].filesystem);
  return check_done();
}
