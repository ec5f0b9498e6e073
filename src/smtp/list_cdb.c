/* list_cdb: a list compiled by qmail-cdb, FILE.cdb.  Its keys are lines in small letters, its
 * data is not looked at.  A database has no order: the most exact line decides, and of two
 * equal ones the one with !.
 *
 * It stays mapped, since mapping costs many times what looking does; before each question
 * the file is looked at, so that a new one counts at once and a mapping is not used when the
 * file below it was overwritten. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cdb.h"
#include "base/file.h"
#include "conf/conf.h"
#include "smtp/list_provider.h"

struct list_cdb {
  stralloc path;
  uint64_t stamp; /* of the file that is mapped */
  struct cdb db;
  int there;
};

/* Map it as it is now: 1, 0 when it is gone, -1. */
static int refresh(struct list_cdb *l) {
  uint64_t now = file_stamp(FILE_STAMP, l->path.s);

  if (l->there == 1 && l->stamp == now) return 1;
  if (l->there == 1) cdb_free(&l->db);
  l->stamp = now;
  l->there = cdb_open(&l->db, l->path.s);
  return l->there;
}

static void close_cdb(void *state) {
  struct list_cdb *l = state;

  if (l->there == 1) cdb_free(&l->db);
  stralloc_free(&l->path);
  free(l);
}

static int open_cdb(const struct list_place *at, void **state, struct strerr *e) {
  struct list_cdb *l = calloc(1, sizeof *l);
  int r = -1;

  errno = ENOMEM;
  if (l && stralloc_copys(&l->path, at->file) && stralloc_catlit(&l->path, CONF_LIST_CDB)) r = *at->file ? refresh(l) : 0;
  if (r == -1) strerr_sys(e, "unable to read ", at->file, CONF_LIST_CDB, (char *)0);
  if (r == 1) *state = l;
  else if (l) close_cdb(l);
  return r;
}

/* The key with what stands before it: 1, 0, -1. */
static int has(struct cdb *db, const char *before, const struct addrkey *key, stralloc *scratch) {
  if (!stralloc_copys(scratch, before) || (key->at && !stralloc_append(scratch, '@')) ||
      !stralloc_catb(scratch, key->s, key->n)) {
    errno = ENOMEM;
    return -1;
  }
  bytes_lower(scratch->s, scratch->len);
  return cdb_find(db, scratch->s, scratch->len);
}

static enum addrset_verdict search(struct cdb *db, enum addrset_subject what, const char *subject, size_t n) {
  stralloc scratch = STRALLOC_INIT;
  struct addrkeys keys;
  struct addrkey key;
  int back = 0, in = 0;

  addrkeys_init(&keys, what, subject, n);
  while (!back && !in && addrkeys_next(&keys, &key)) {
    back = has(db, "!", &key, &scratch);
    if (!back) in = has(db, "", &key, &scratch);
  }
  stralloc_free(&scratch);
  if (back == -1 || in == -1) return ADDRSET_FAILED;
  return back ? ADDRSET_BACK : in ? ADDRSET_IN : ADDRSET_NONE;
}

static enum addrset_verdict find_cdb(void *state, enum addrset_subject what, const char *subject, size_t n,
                                     struct strerr *e) {
  struct list_cdb *l = state;
  enum addrset_verdict verdict = ADDRSET_FAILED;
  int r = refresh(l);

  if (r == 0) return ADDRSET_NONE; /* taken away meanwhile */
  if (r == 1) verdict = search(&l->db, what, subject, n);
  if (verdict == ADDRSET_FAILED) strerr_sys(e, "unable to read ", l->path.s, (char *)0);
  return verdict;
}

const struct list_provider list_cdb = {"cdb", open_cdb, find_cdb, close_cdb};
