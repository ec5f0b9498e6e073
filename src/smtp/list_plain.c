/* list_plain: a list in a text file, and the file of more patterns behind it. */
#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "conf/conf.h"
#include "smtp/list_provider.h"

/* 1, 0 when it is not there, -1. */
static int add_file(struct addrset *s, const char *path, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int r = *path ? file_read(path, &text, CONF_FILE_MAX) : 0;

  if (r == -1) strerr_sys(e, "unable to read ", path, (char *)0);
  if (r == 1 && addrset_add(s, path, stralloc_cstr(&text), text.len, e) == -1) r = -1;
  stralloc_free(&text);
  return r;
}

static int open_plain(const struct list_place *at, void **state, struct strerr *e) {
  struct addrset *s = calloc(1, sizeof *s);
  int own, more;

  if (!s) {
    errno = ENOMEM;
    return strerr_sys(e, "unable to read ", at->file, (char *)0);
  }
  s->regex = at->regex;
  own = add_file(s, at->file, e);
  more = own == -1 ? -1 : add_file(s, at->patterns, e);
  if (more != -1 && (own || more)) {
    *state = s;
    return 1;
  }
  addrset_free(s);
  free(s);
  return more == -1 ? -1 : 0;
}

static enum addrset_verdict find_plain(void *state, enum addrset_subject what, const char *subject, size_t n, struct strerr *e) {
  enum addrset_verdict verdict = addrset_find(state, what, subject, n);

  if (verdict == ADDRSET_FAILED) strerr_set(e, "a regular expression takes too long for this address", (char *)0);
  return verdict;
}

static void close_plain(void *state) {
  addrset_free(state);
  free(state);
}

const struct list_provider list_plain = {"plain", open_plain, find_plain, close_plain};
