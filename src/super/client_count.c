/* client_count: see client_count.h. */
#include "super/client_count.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"

#define MAGIC 0x31306e6e6f434d49u
#define COLUMN_AT(i) ((off_t)(i)) /* the byte whose lock says that a column is in use */

struct client_count_table {
  uint64_t magic, seed;
  uint32_t column[CLIENT_COUNT_COLUMNS][CLIENT_COUNT_ROWS][CLIENT_COUNT_PLACES];
};

/* --- the file --- */

static int column_lock(int fd, unsigned column, int command, short type) {
  struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = COLUMN_AT(column), .l_len = 1};

  if (fcntl(fd, command, &l) == -1) return -1;
  return l.l_type;
}

/* Its blocks are there from the start: a full disk would kill whoever writes into a hole.  It never becomes
 * shorter under those who have it mapped. */
static struct client_count_table *map(int fd) {
  struct client_count_table *t;

  if ((errno = posix_fallocate(fd, 0, sizeof *t)) != 0) return 0;
  t = mmap(0, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (t == MAP_FAILED) return 0;
  if (t->magic == MAGIC) return t;
  memset(t, 0, sizeof *t);
  if (getrandom(&t->seed, sizeof t->seed, 0) == (ssize_t)sizeof t->seed) {
    t->magic = MAGIC;
    return t;
  }
  munmap(t, sizeof *t);
  return 0;
}

/* The first that nobody holds, and of nobody's connections. */
static int take_column(struct client_count *c) {
  for (unsigned i = 0; i < CLIENT_COUNT_COLUMNS; ++i) {
    if (column_lock(c->fd, i, F_OFD_SETLK, F_WRLCK) == -1) continue;
    c->own = i;
    memset(c->table->column[i], 0, sizeof c->table->column[i]);
    return 0;
  }
  errno = EUSERS;
  return -1;
}

static void forget(struct client_count *c) {
  if (c->table) munmap(c->table, sizeof *c->table);
  fd_close(c->fd);
  memset(c, 0, sizeof *c);
}

int client_count_open(struct client_count *c, const char *path, struct strerr *e) {
  int r = -1;

  memset(c, 0, sizeof *c);
  c->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (c->fd == -1) return strerr_sys(e, "unable to open ", path, (char *)0);
  if (fd_is_ours(c->fd) && lock_ex(c->fd) == 0 && (c->table = map(c->fd)) != 0) r = take_column(c);
  if (r == -1) strerr_sys(e, "unable to use ", path, (char *)0);
  (void)!flock(c->fd, LOCK_UN);
  if (r == -1) forget(c);
  return r;
}

void client_count_close(struct client_count *c) {
  if (c->table) forget(c);
}

/* --- counting --- */

/* FNV-1a, begun with what nobody outside knows; its halves are the two places of a client. */
static uint64_t hash(const struct client_count *c, const struct ip *ip) {
  uint64_t h = 1469598103934665603u ^ c->table->seed;
  size_t n = ip->family == AF_INET ? 4 : 8;

  h = (h ^ n) * 1099511628211u;
  for (size_t i = 0; i < n; ++i) h = (h ^ ip->b[i]) * 1099511628211u;
  return h ^ h >> 29;
}

static unsigned place(uint64_t h, unsigned row) {
  return (unsigned)(h >> (8 + 24 * row)) % CLIENT_COUNT_PLACES;
}

static uint64_t of_column(const struct client_count *c, unsigned column, uint64_t h) {
  uint32_t least = UINT32_MAX;

  for (unsigned row = 0; row < CLIENT_COUNT_ROWS; ++row) {
    uint32_t n = __atomic_load_n(&c->table->column[column][row][place(h, row)], __ATOMIC_RELAXED);

    if (n < least) least = n;
  }
  return least;
}

/* Only one that has something to say is asked whether it lives. */
uint64_t client_count_of(const struct client_count *c, const struct ip *ip) {
  uint64_t h, sum = 0;

  if (!c->table) return 0;
  h = hash(c, ip);
  for (unsigned i = 0; i < CLIENT_COUNT_COLUMNS; ++i) {
    uint64_t n = of_column(c, i, h);

    if (n && (i == c->own || column_lock(c->fd, i, F_OFD_GETLK, F_WRLCK) != F_UNLCK)) sum += n;
  }
  return sum;
}

static void change(struct client_count *c, const struct ip *ip, int by) {
  uint64_t h;

  if (!c->table || !ip->family) return;
  h = hash(c, ip);
  for (unsigned row = 0; row < CLIENT_COUNT_ROWS; ++row) {
    uint32_t *n = &c->table->column[c->own][row][place(h, row)];

    if (by > 0 || *n) __atomic_store_n(n, by > 0 ? *n + 1 : *n - 1, __ATOMIC_RELAXED);
  }
}

void client_count_add(struct client_count *c, const struct ip *ip) {
  change(c, ip, 1);
}

void client_count_remove(struct client_count *c, const struct ip *ip) {
  change(c, ip, -1);
}
