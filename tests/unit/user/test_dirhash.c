/* The closed form against an odometer that is turned one user at a time, for a million
 * users and more, past the point where three letters begin again. */
#include "user/dirhash.h"

#include "check.h"

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* depth letters, each a digit of base 62; the next directory is one further. */
struct odometer {
  int depth;
  int digit[3];
};

static void turn(struct odometer *o) {
  for (int i = o->depth - 1; i >= 0; --i) {
    if (++o->digit[i] < 62) return;
    o->digit[i] = 0;
  }
  if (o->depth < 3) o->depth++;
}

static void show(const struct odometer *o, char dir[DIRHASH_SIZE]) {
  size_t n = 0;

  for (int i = 0; i < o->depth; ++i) {
    if (i) dir[n++] = '/';
    dir[n++] = alphabet[o->digit[i]];
  }
  dir[n] = 0;
}

/* Users 1 to last, so many a directory. */
static void walk(uint64_t last, uint64_t per_level) {
  struct odometer o = {0, {0}};
  char want[DIRHASH_SIZE], got[DIRHASH_SIZE];
  uint64_t wrong = 0, in_dir = 0, number;

  show(&o, want);
  for (uint64_t n = 1; n <= last; ++n) {
    if (n % per_level == 0) {
      turn(&o);
      show(&o, want);
      in_dir = 0;
    }
    ++in_dir;
    dirhash_dir(n, per_level, got);
    if (n % 1000 == 0 && n / per_level < 62 + 62 * 62 + 62 * 62 * 62 && (!dirhash_number(got, &number) || number != n / per_level)) ++wrong;
    if (strcmp(got, want) != 0 || in_dir > per_level) ++wrong;
  }
  CHECK(wrong == 0);
}

static const struct {
  uint64_t n, per_level;
  const char *want;
} cases[] = {
    {0, 100, ""},          {1, 100, ""},          {99, 100, ""},         {100, 100, "0"},         {199, 100, "0"},
    {200, 100, "1"},       {6299, 100, "z"},      {6300, 100, "0/0"},    {6400, 100, "0/1"},      {12500, 100, "1/0"},
    {390699, 100, "z/z"},  {390700, 100, "0/0/0"}, {390800, 100, "0/0/1"}, {24223499, 100, "z/z/z"},
    {24223500, 100, "0/0/0"}, {1, 1, "0"},        {5, 0, "4"},           {UINT64_MAX, 1, 0},
};

static const struct {
  const char *user, *bucket;
} buckets[] = {{"alice", "A2E"}, {"eve", "A2E"},     {"frank", "F2K"}, {"kim", "F2K"},    {"lea", "L2P"},
               {"paul", "L2P"},  {"quentin", "Q2S"}, {"sue", "Q2S"},   {"tom", "T2Zsym"}, {"zoe", "T2Zsym"},
               {"0", "T2Zsym"},  {"!x", "T2Zsym"},   {"Bob", "A2E"},   {"", "T2Zsym"}};

int main(void) {
  char dir[DIRHASH_SIZE];
  stralloc home = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    dirhash_dir(cases[i].n, cases[i].per_level, dir);
    if (cases[i].want) CHECK_CASE(!strcmp(dir, cases[i].want), cases[i].want);
  }
  for (size_t i = 0; i < sizeof buckets / sizeof *buckets; ++i)
    CHECK_CASE(!strcmp(dirhash_bucket(buckets[i].user), buckets[i].bucket), buckets[i].user);
  walk(1000000, 100);
  walk(1000000, 4); /* past z/z/z: it begins again as 0/0/0 */
  walk(300000, 1);
  CHECK(dirhash_home(&home, "/mail", "example.com", "alice", 1, 100) &&
        stralloc_equals(&home, "/mail/A2E/example.com/alice"));
  CHECK(dirhash_home(&home, "/mail", "example.com", "bob", 6300, 100) &&
        stralloc_equals(&home, "/mail/A2E/example.com/0/0/bob"));
  CHECK(dirhash_home(&home, "/mail", "example.com", "a", 1, 100) && stralloc_equals(&home, "/mail/A2E/example.com/a,"));
  CHECK(dirhash_home(&home, "/mail", "example.com", "!", 1, 100) && stralloc_equals(&home, "/mail/T2Zsym/example.com/!"));
  stralloc_free(&home);
  return check_done();
}
