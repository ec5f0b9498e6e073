/* cdb: reading, see cdb.h. */
#include "base/cdb.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"

uint32_t cdb_hash(const char *buf, size_t len) {
  uint32_t h = 5381;

  for (size_t i = 0; i < len; ++i) h = (h * 33) ^ (unsigned char)buf[i];
  return h;
}

int cdb_init(struct cdb *c, int fd) {
  struct stat st;
  void *map;

  memset(c, 0, sizeof *c);
  if (fstat(fd, &st) == -1) return -1;
  if (st.st_size < CDB_HEADER || st.st_size > UINT32_MAX) {
    errno = EPROTO;
    return -1;
  }
  map = mmap(0, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) return -1;
  c->map = map;
  c->size = (size_t)st.st_size;
  return 0;
}

int cdb_open(struct cdb *c, const char *path) {
  int fd = fd_open_read(path);
  int r;

  if (fd == -1) {
    memset(c, 0, sizeof *c);
    return errno == ENOENT ? 0 : -1;
  }
  r = cdb_init(c, fd);
  fd_close(fd);
  return r == -1 ? -1 : 1;
}

void cdb_free(struct cdb *c) {
  if (c->map) munmap((void *)(uintptr_t)c->map, c->size);
  memset(c, 0, sizeof *c);
}

/* Two little-endian numbers at pos; 0 or -1 when they lie outside the file. */
static int pair(const struct cdb *c, uint64_t pos, uint32_t *a, uint32_t *b) {
  const unsigned char *p = (const unsigned char *)c->map + pos;

  if (pos + 8 > c->size) {
    errno = EPROTO;
    return -1;
  }
  *a = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
  *b = (uint32_t)p[4] | (uint32_t)p[5] << 8 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 24;
  return 0;
}

/* The record at pos, checked to lie inside the file. */
static int record(const struct cdb *c, uint32_t pos, uint32_t *klen, uint32_t *dlen) {
  if (pair(c, pos, klen, dlen) == -1) return -1;
  if ((uint64_t)pos + 8 + *klen + *dlen > c->size) {
    errno = EPROTO;
    return -1;
  }
  return 0;
}

void cdb_findstart(struct cdb *c) {
  c->loop = 0;
}

int cdb_findnext(struct cdb *c, const char *key, size_t len) {
  uint32_t h, pos, klen, dlen;

  if (!c->loop) {
    c->khash = cdb_hash(key, len);
    if (pair(c, (c->khash << 3) & 2047, &c->hpos, &c->hslots) == -1) return -1;
    if (!c->hslots) return 0;
    c->kpos = (c->khash >> 8) % c->hslots;
  }
  while (c->loop < c->hslots) {
    if (pair(c, (uint64_t)c->hpos + 8 * (uint64_t)c->kpos, &h, &pos) == -1) return -1;
    if (!pos) return 0;
    c->loop++;
    if (++c->kpos == c->hslots) c->kpos = 0;
    if (h != c->khash) continue;
    if (record(c, pos, &klen, &dlen) == -1) return -1;
    if (klen != len || (len && memcmp(c->map + pos + 8, key, len))) continue;
    c->dpos = pos + 8 + klen;
    c->dlen = dlen;
    return 1;
  }
  return 0;
}

int cdb_find(struct cdb *c, const char *key, size_t len) {
  cdb_findstart(c);
  return cdb_findnext(c, key, len);
}

const char *cdb_data(const struct cdb *c) {
  return c->map + c->dpos;
}

int cdb_walk(struct cdb *c, uint32_t *pos, const char **key, uint32_t *klen, const char **data,
             uint32_t *dlen) {
  uint32_t end, slots;

  if (*pos == 0) *pos = CDB_HEADER;
  if (pair(c, 0, &end, &slots) == -1) return -1;
  if (*pos >= end) return 0;
  if (record(c, *pos, klen, dlen) == -1) return -1;
  *key = c->map + *pos + 8;
  *data = *key + *klen;
  *pos += 8 + *klen + *dlen;
  return 1;
}
