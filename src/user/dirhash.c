/* dirhash: see dirhash.h. */
#include "user/dirhash.h"

#include <string.h>

#define LETTERS 62

static const char alphabet[LETTERS + 1] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const struct {
  char first, last;
  const char *name;
} buckets[] = {{'a', 'e', "A2E"}, {'f', 'k', "F2K"}, {'l', 'p', "L2P"}, {'q', 's', "Q2S"}};

const char *const dirhash_buckets[DIRHASH_BUCKETS] = {"A2E", "F2K", "L2P", "Q2S", "T2Zsym"};

const char *dirhash_bucket(const char *user) {
  char c = user[0] >= 'A' && user[0] <= 'Z' ? (char)(user[0] - 'A' + 'a') : user[0];

  for (size_t i = 0; i < sizeof buckets / sizeof *buckets; ++i)
    if (c >= buckets[i].first && c <= buckets[i].last) return buckets[i].name;
  return "T2Zsym";
}

void dirhash_dir(uint64_t n, uint64_t per_level, char dir[DIRHASH_SIZE]) {
  uint64_t b = n / (per_level ? per_level : 1);
  uint64_t span = LETTERS; /* directories of this depth */
  int depth = 1;

  memset(dir, 0, DIRHASH_SIZE);
  if (!b--) return;
  while (depth < 3 && b >= span) {
    b -= span;
    span *= LETTERS;
    ++depth;
  }
  b %= span;
  for (int i = depth - 1; i >= 0; --i, b /= LETTERS) {
    dir[2 * i] = alphabet[b % LETTERS];
    if (i) dir[2 * i - 1] = '/';
  }
}

int dirhash_number(const char *dir, uint64_t *directory) {
  uint64_t b = 0, first = 0, span = 1; /* of the directories of this depth: the first, how many */
  int depth = 0;

  for (; *dir; ++depth) {
    const char *letter = depth < 3 && *dir ? strchr(alphabet, *dir) : 0;

    if (!letter || (dir[1] && (dir[1] != '/' || !dir[2]))) return 0;
    first += span;
    span *= LETTERS;
    b = b * LETTERS + (uint64_t)(letter - alphabet);
    dir += dir[1] ? 2 : 1;
  }
  *directory = first + b;
  return 1;
}

int dirhash_home(stralloc *home, const char *base, const char *domain, const char *user, uint64_t n,
                 uint64_t per_level) {
  char dir[DIRHASH_SIZE];
  const char *slash;
  int clash = user[0] && !user[1] && strchr(alphabet, user[0]);

  dirhash_dir(n, per_level, dir);
  slash = dir[0] ? "/" : "";
  stralloc_cut(home, 0);
  return stralloc_catm(home, base, "/", dirhash_bucket(user), "/", domain, "/", dir, slash, user, clash ? "," : "",
                       (char *)0);
}
