/* cdb_make: writing, see cdb.h.  Records go out as they come; the tables are kept
 * in memory as (hash, position) pairs and written at the end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cdb.h"
#include "base/fd.h"

#define OUT_SIZE 65536

static void pack(char *s, uint32_t u) {
  for (int i = 0; i < 4; ++i) s[i] = (char)(u >> (8 * i));
}

static int flush(struct cdb_make *m) {
  if (fd_write_all(m->fd, m->out.s, m->out.len) == -1) return -1;
  stralloc_cut(&m->out, 0);
  return 0;
}

static int put(struct cdb_make *m, const char *s, size_t n) {
  if (!stralloc_catb(&m->out, s, n)) return -1;
  return m->out.len >= OUT_SIZE ? flush(m) : 0;
}

static int advance(struct cdb_make *m, size_t n) {
  uint32_t pos;

  if (n > UINT32_MAX || __builtin_add_overflow(m->pos, (uint32_t)n, &pos)) {
    errno = ENOMEM;
    return -1;
  }
  m->pos = pos;
  return 0;
}

int cdb_make_start(struct cdb_make *m, int fd) {
  memset(m, 0, sizeof *m);
  m->fd = fd;
  m->pos = CDB_HEADER;
  return lseek(fd, CDB_HEADER, SEEK_SET) == -1 ? -1 : 0;
}

int cdb_make_add(struct cdb_make *m, const char *key, size_t klen, const char *data, size_t dlen) {
  char head[8];
  size_t need;

  if (m->n == m->a) {
    size_t a = m->a ? m->a * 2 : 256;
    struct cdb_hp *hp = reallocarray(m->hp, a, sizeof *hp);

    if (!hp) return -1;
    m->hp = hp;
    m->a = a;
  }
  if (__builtin_add_overflow(klen, dlen, &need) || __builtin_add_overflow(need, 8, &need)) {
    errno = ENOMEM;
    return -1;
  }
  m->hp[m->n].h = cdb_hash(key, klen);
  m->hp[m->n].p = m->pos;
  if (advance(m, need) == -1) return -1;
  m->n++;
  pack(head, (uint32_t)klen);
  pack(head + 4, (uint32_t)dlen);
  if (put(m, head, 8) == -1 || put(m, key, klen) == -1) return -1;
  return put(m, data, dlen);
}

/* Writes the table of the records in order[0..n-1] and its header entry. */
static int finish_table(struct cdb_make *m, const struct cdb_hp *order, uint32_t n, char *head) {
  uint32_t slots = n * 2;
  struct cdb_hp *table = calloc(slots ? slots : 1, sizeof *table);
  int r = -1;

  if (!table) return -1;
  pack(head, m->pos);
  pack(head + 4, slots);
  for (uint32_t i = 0; i < n; ++i) {
    uint32_t where = (order[i].h >> 8) % slots;

    while (table[where].p)
      if (++where == slots) where = 0;
    table[where] = order[i];
  }
  for (uint32_t i = 0; i < slots; ++i) {
    char buf[8];

    pack(buf, table[i].h);
    pack(buf + 4, table[i].p);
    if (put(m, buf, 8) == -1 || advance(m, 8) == -1) goto done;
  }
  r = 0;
done:
  free(table);
  return r;
}

int cdb_make_finish(struct cdb_make *m) {
  char header[CDB_HEADER];
  size_t start[257] = {0};
  struct cdb_hp *order;
  int r = -1;

  if (m->n > UINT32_MAX / 16) {
    errno = ENOMEM;
    return -1;
  }
  order = calloc(m->n ? m->n : 1, sizeof *order);
  if (!order) return -1;
  for (size_t i = 0; i < m->n; ++i) start[(m->hp[i].h & 255) + 1]++;
  for (int i = 0; i < 256; ++i) start[i + 1] += start[i];
  {
    size_t next[256];

    memcpy(next, start, sizeof next);
    for (size_t i = 0; i < m->n; ++i) order[next[m->hp[i].h & 255]++] = m->hp[i];
  }
  for (int i = 0; i < 256; ++i)
    if (finish_table(m, order + start[i], (uint32_t)(start[i + 1] - start[i]), header + 8 * i) == -1)
      goto done;
  if (flush(m) == -1 || lseek(m->fd, 0, SEEK_SET) == -1) goto done;
  r = fd_write_all(m->fd, header, sizeof header);
done:
  free(order);
  return r;
}

void cdb_make_free(struct cdb_make *m) {
  free(m->hp);
  stralloc_free(&m->out);
  memset(m, 0, sizeof *m);
}
