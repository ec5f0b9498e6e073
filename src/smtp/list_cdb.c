/* list_cdb: a list compiled by qmail-cdb, FILE.cdb.  Its keys are lines in small letters, its
 * data is not looked at.  A database has no order: the most exact line decides, and of two
 * equal ones the one with !.  It is opened for each question, so a new one counts at once and
 * nobody's mapping is left on a file that is overwritten. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cdb.h"
#include "conf/conf.h"
#include "smtp/list_provider.h"

static int open_cdb(const struct list_place *at, void **state, struct strerr *e) {
  stralloc *path = calloc(1, sizeof *path);
  struct cdb db;
  int r = -1;

  errno = ENOMEM;
  if (path && stralloc_copys(path, at->file) && stralloc_catlit(path, CONF_LIST_CDB)) r = *at->file ? cdb_open(&db, path->s) : 0;
  if (r == -1) strerr_sys(e, "unable to read ", at->file, CONF_LIST_CDB, (char *)0);
  if (r == 1) {
    cdb_free(&db);
    *state = path;
    return 1;
  }
  if (path) stralloc_free(path);
  free(path);
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

static enum addrset_verdict find_cdb(const void *state, enum addrset_subject what, const char *subject, size_t n,
                                     struct strerr *e) {
  const stralloc *path = state;
  enum addrset_verdict verdict = ADDRSET_FAILED;
  struct cdb db;
  int r = cdb_open(&db, path->s);

  if (r == 0) return ADDRSET_NONE; /* taken away meanwhile */
  if (r == 1) {
    verdict = search(&db, what, subject, n);
    cdb_free(&db);
  }
  if (verdict == ADDRSET_FAILED) strerr_sys(e, "unable to read ", path->s, (char *)0);
  return verdict;
}

static void close_cdb(void *state) {
  stralloc_free(state);
  free(state);
}

const struct list_provider list_cdb = {"cdb", open_cdb, find_cdb, close_cdb};
