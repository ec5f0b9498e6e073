/* printdir: prints how the homes of a virtual domain lie in its directories. */
#include <string.h>

#include "base/options.h"
#include "base/report.h"
#include "user/layout.h"

#define FATAL "printdir: fatal: "
#define USAGE "printdir [-v] [--json] domain"
#define COLUMN 14

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};

/* Users in one directory: the most there are, and of the bucket all. */
struct crowd {
  int64_t users, elsewhere;
};

static struct crowd count(const struct layout *l, size_t bucket) {
  struct crowd c = {0, 0};

  for (size_t i = 0; i < l->users; ++i)
    if (l->user[i].bucket == bucket) {
      ++c.users;
      c.elsewhere += l->user[i].directory == LAYOUT_ELSEWHERE;
    }
  return c;
}

static void print_bucket(const struct layout *l, size_t bucket, struct report *r) {
  struct crowd c = count(l, bucket);
  char dir[DIRHASH_SIZE];

  dirhash_dir(l->placed[bucket], l->per_level, dir);
  report_record(r);
  report_text(r, "domain", 0, l->domain.s);
  report_text(r, "bucket", "bucket", dirhash_buckets[bucket]);
  report_text(r, "directory", "directory", dir);
  report_number(r, "level", "level", (int64_t)(strlen(dir) + 1) / 2);
  report_number(r, "users", "users", c.users);
  report_number(r, "elsewhere", "elsewhere", c.elsewhere);
  report_number(r, "placed", "placed", (int64_t)l->placed[bucket]);
  report_number(r, "per_directory", "a directory", (int64_t)l->per_level);
}

/* -v: each directory in which users are, in the order in which they are filled. */
static void print_directories(const struct layout *l, size_t bucket, struct report *r) {
  uint64_t last = 0;

  for (int first = 1;; first = 0) {
    uint64_t next = LAYOUT_ELSEWHERE;
    int64_t n = 0;
    char dir[DIRHASH_SIZE];
    stralloc path = STRALLOC_INIT;

    for (size_t i = 0; i < l->users; ++i) {
      uint64_t d = l->user[i].bucket == bucket ? l->user[i].directory : LAYOUT_ELSEWHERE;

      if (d >= next ? d > next || d == LAYOUT_ELSEWHERE : !first && d <= last) continue;
      n = d < next ? 1 : n + 1;
      next = d;
    }
    if (next == LAYOUT_ELSEWHERE) return;
    dirhash_dir(next, 1, dir);
    if (!stralloc_catm(&path, "in ", *dir ? dir : ".", (char *)0)) r->failed = 1;
    report_number(r, 0, stralloc_cstr(&path), n);
    stralloc_free(&path);
    last = next;
  }
}

int main(int argc, char **argv) {
  struct site s;
  struct layout l = {0};
  struct report r;
  struct strerr e;
  int verbose = 0;
  const struct option options[] = {{'v', OPTION_COUNT, &verbose, 0}, {'-', OPTION_WORDS, words, 0}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);

  if (site_domain(argv[i], &e) == -1 || site_load(&s, &e) == -1 || layout_read(&s, argv[i], &l, &e) == -1)
    strerr_die(site_code(&e), FATAL, &e);
  report_start(&r, json, 1, COLUMN);
  for (size_t k = 0; k < DIRHASH_BUCKETS; ++k) {
    print_bucket(&l, k, &r);
    if (verbose) print_directories(&l, k, &r);
  }
  if (report_finish(&r, 1, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  layout_free(&l);
  site_close(&s);
  return 0;
}
