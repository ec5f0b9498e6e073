/* cdb: constant databases, the published 4 GB format (D. J. Bernstein): 256 pairs
 * of little-endian u32 (table position, slots), records (key length, data length,
 * key, data), then the hash tables.  Hash: h = 5381; h = (h * 33) ^ byte. */
#ifndef BASE_CDB_H
#define BASE_CDB_H

#include <stdint.h>

#include "base/stralloc.h"

#define CDB_HEADER 2048

uint32_t cdb_hash(const char *buf, size_t len);

/* Reading.  The file is mapped; a damaged file gives -1 with errno EPROTO, never
 * a read outside it. */
struct cdb {
  const char *map;
  size_t size;
  uint32_t khash, hpos, hslots, kpos, loop; /* search state */
  uint32_t dpos, dlen;                      /* the record found */
};

/* Opens nothing: maps fd, which may be closed afterwards.  0 or -1. */
int cdb_init(struct cdb *c, int fd) MUST_CHECK;
/* Open by name: 1, 0 if the file does not exist, -1. */
int cdb_open(struct cdb *c, const char *path) MUST_CHECK;
/* First, then next record with this key: 1 found, 0 no more, -1. */
int cdb_find(struct cdb *c, const char *key, size_t len) MUST_CHECK;
void cdb_findstart(struct cdb *c);
int cdb_findnext(struct cdb *c, const char *key, size_t len) MUST_CHECK;
/* The data found: borrowed, dlen bytes, until cdb_free. */
const char *cdb_data(const struct cdb *c);
/* Walk all records in file order: *pos starts at 0; 1, 0 at the end, -1. */
int cdb_walk(struct cdb *c, uint32_t *pos, const char **key, uint32_t *klen, const char **data,
             uint32_t *dlen) MUST_CHECK;
void cdb_free(struct cdb *c);

/* Writing into an open descriptor at position 0.  0 or -1 with errno (ENOMEM also
 * when the file would pass 4 GB).  cdb_make_finish writes the tables and the
 * header; fsync and rename are the caller's. */
struct cdb_hp {
  uint32_t h, p;
};
struct cdb_make {
  int fd;
  uint32_t pos;
  struct cdb_hp *hp;
  size_t n, a;
  stralloc out;
};

int cdb_make_start(struct cdb_make *m, int fd) MUST_CHECK;
int cdb_make_add(struct cdb_make *m, const char *key, size_t klen, const char *data, size_t dlen)
    MUST_CHECK;
int cdb_make_finish(struct cdb_make *m) MUST_CHECK;
void cdb_make_free(struct cdb_make *m);

#endif
