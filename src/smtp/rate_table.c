/* rate_table: see rate_table.h. */
#include "smtp/rate_table.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/scan.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "conf/paths.h"

#define SECONDS_MAX (366 * 86400)

static int parse_one(const char *s, size_t len, struct rate_limit *l) {
  size_t n = bytes_chr(s, len, '/');

  return n < len && scan_u64(s, n, &l->count) && scan_u64(s + n + 1, len - n - 1, &l->seconds) && l->seconds &&
         l->seconds <= SECONDS_MAX && l->count <= UINT32_MAX / 2;
}

int rate_limits_parse(const char *s, struct rate_limits *l) {
  memset(l, 0, sizeof *l);
  while (*s) {
    size_t n = strcspn(s, " ");

    if (l->n == RATE_LIMITS || !parse_one(s, n, &l->limit[l->n])) return 0;
    ++l->n;
    s += n;
    if (*s && !*(s += strspn(s, " "))) return 0;
  }
  return 1;
}

/* FNV-1a, begun with what nobody outside knows. */
static uint64_t hash(uint64_t seed, const char *s, size_t n, uint64_t seconds) {
  uint64_t h = 1469598103934665603u ^ seed;

  for (size_t i = 0; i < n; ++i) h = (h ^ (unsigned char)s[i]) * 1099511628211u;
  for (size_t i = 0; i < sizeof(uint32_t); ++i) h = (h ^ (seconds >> 8 * i & 255)) * 1099511628211u;
  h ^= h >> 32;
  return h ? h : 1;
}

/* What is more worth keeping: what was seen later, or more often. */
static int is_less(const struct rate_place *a, const struct rate_place *b) {
  if (!a->key || !b->key) return !a->key && b->key;
  return a->window != b->window ? a->window < b->window : (uint64_t)a->now + a->before < (uint64_t)b->now + b->before;
}

/* The key's place, made free for it if need be. */
static struct rate_place *find(struct rate_table *t, uint64_t key, uint32_t window, int look) {
  struct rate_place *bucket = t->place[key % RATE_BUCKETS];
  struct rate_place *least = bucket;

  for (int i = 0; i < RATE_BUCKET; ++i) {
    if (bucket[i].key == key) return &bucket[i];
    if (is_less(&bucket[i], least)) least = &bucket[i];
  }
  if (look) return 0;
  *least = (struct rate_place){.key = key, .window = window};
  return least;
}

/* Into this window; one that lies ahead, by a clock that was set back, is this one too. */
static void move(struct rate_place *p, uint32_t window) {
  if (window <= p->window) return;
  p->before = window == p->window + 1 ? p->now : 0;
  p->now = 0;
  p->window = window;
}

enum rate_verdict rate_hit(struct rate_table *t, const char *key, size_t n, const struct rate_limit *l, int64_t now, int look) {
  uint32_t window, left;
  struct rate_place *p, seen;
  uint64_t of_late;

  if (!l->seconds) return RATE_WITHIN;
  if (now < 0) now = 0;
  window = (uint32_t)((uint64_t)now / l->seconds) + 1;
  left = (uint32_t)(l->seconds - (uint64_t)now % l->seconds);
  p = find(t, hash(t->seed, key, n, l->seconds), window, look);
  if (!p) return l->count ? RATE_WITHIN : RATE_OVER;
  if (look) {
    seen = *p;
    p = &seen;
  }
  move(p, window);
  of_late = p->now + (uint64_t)p->before * left / l->seconds;
  if (of_late < l->count) {
    p->now++;
    return RATE_WITHIN;
  }
  if (p->told == window) return RATE_OVER;
  p->told = window;
  return RATE_OVER_FIRST;
}

/* What is over one limit is counted by none. */
enum rate_verdict rate_hit_all(struct rate_table *t, const char *key, size_t n, const struct rate_limits *l, int64_t now, int look) {
  enum rate_verdict v = RATE_WITHIN;

  for (size_t i = 0; i < l->n; ++i)
    if (rate_hit(t, key, n, &l->limit[i], now, 1) != RATE_WITHIN) return rate_hit(t, key, n, &l->limit[i], now, look);
  for (size_t i = 0; !look && v == RATE_WITHIN && i < l->n; ++i) v = rate_hit(t, key, n, &l->limit[i], now, 0);
  return v;
}

/* --- the file ------------------------------------------------------------------------------------- */

/* What is longer is an older table.  It is not cut: whoever has it in memory would be killed. */
static struct rate_table *map(int fd) {
  struct rate_table *t;

  if (lock_ex(fd) == -1) return 0;
  t = mmap(0, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (t == MAP_FAILED) return 0;
  if (t->magic == RATE_MAGIC) return t;
  memset(t, 0, sizeof *t);
  if (getrandom(&t->seed, sizeof t->seed, 0) == (ssize_t)sizeof t->seed) {
    t->magic = RATE_MAGIC;
    return t;
  }
  munmap(t, sizeof *t);
  return 0;
}

/* The file has all its blocks only where they are used; a full disk would kill whoever writes into a
 * hole of it. */
static struct rate_table *open_file(const char *path) {
  struct rate_table *t = 0;
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd == -1) return 0;
  if (fd_is_ours(fd) && (errno = posix_fallocate(fd, 0, sizeof *t)) == 0) t = map(fd);
  (void)!flock(fd, LOCK_UN); /* closing does not, while the file is mapped */
  fd_close(fd);
  return t;
}

struct rate_table *rate_table_open(void) {
  static struct rate_table *table;
  static int tried;
  stralloc path = STRALLOC_INIT;

  if (tried) return table;
  tried = 1;
  if (paths_file(PATH_RUN, "smtp", &path)) {
    (void)!file_mkdir(path.s, 0700);
    if (stralloc_catlit(&path, "/rates")) table = open_file(path.s);
  }
  if (!table) strerr_warnm_sys("rates are not limited: unable to use ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&path);
  return table;
}
