/* unfinished: see unfinished.h. */
#include "user/unfinished.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "conf/paths.h"

#define NOTE ".unfinished"
#define NOTE_MAX 65536

static const struct {
  const char *kind;
  size_t words;
  int (*steps)(struct site *, const struct strlist *, struct strerr *);
} kinds[] = {
    {"domain", UNFINISHED_DOMAIN_WORDS, domain_rename_steps},
    {"user", UNFINISHED_USER_WORDS, account_move_steps},
};

int unfinished_write(const char *const *words, struct strerr *e) {
  stralloc path = STRALLOC_INIT, text = STRALLOC_INIT;
  int ok = paths_file(PATH_USERS, NOTE, &path), r = -1;

  errno = ENOMEM;
  for (; ok && *words; ++words) ok = stralloc_catm(&text, *words, "\n", (char *)0);
  if (ok) r = file_replace(path.s, text.s, text.len, 0600);
  if (r == -1) strerr_sys(e, "unable to write ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&path);
  stralloc_free(&text);
  return r;
}

static int split(const stralloc *text, struct strlist *words) {
  const char *s = stralloc_cstr(text);
  size_t n = text->len;

  while (n) {
    size_t i = bytes_chr(s, n, '\n');

    if (!strlist_add(words, s, i)) return -1;
    i += i < n;
    s += i;
    n -= i;
  }
  return 1;
}

int unfinished_read(struct strlist *words, struct strerr *e) {
  stralloc path = STRALLOC_INIT, text = STRALLOC_INIT;
  int r = -1;

  errno = ENOMEM;
  strlist_clear(words);
  if (paths_file(PATH_USERS, NOTE, &path)) r = file_read(path.s, &text, NOTE_MAX);
  if (r == 1) r = split(&text, words);
  if (r == -1) strerr_sys(e, "unable to read ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&path);
  stralloc_free(&text);
  return r;
}

int unfinished_clear(struct strerr *e) {
  stralloc path = STRALLOC_INIT, dir = STRALLOC_INIT;
  int r = -1;

  errno = ENOMEM;
  if (paths_file(PATH_USERS, NOTE, &path) && paths_get(PATH_USERS, &dir))
    r = unlink(path.s) == -1 && errno != ENOENT ? -1 : fd_syncdir(dir.s);
  if (r == -1) strerr_sys(e, "unable to remove ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&path);
  stralloc_free(&dir);
  return r;
}

/* The reason why a change was taken back is kept. */
static int unfinished_cleared(int back, struct strerr *e) {
  struct strerr ignored;

  return unfinished_clear(back ? &ignored : e) == -1 ? -1 : back ? 2 : 1;
}

int unfinished_finish(struct site *s, struct strerr *e) {
  struct strlist words = {0};
  int r = unfinished_read(&words, e), back;
  size_t i = 0;

  if (r == 1) {
    while (i < sizeof kinds / sizeof *kinds && !(words.len == kinds[i].words && !strcmp(words.item[0].s, kinds[i].kind))) ++i;
    if (i == sizeof kinds / sizeof *kinds) r = strerr_set(e, "the note users/" NOTE " is damaged: look at it and remove it", (char *)0);
    else if ((back = kinds[i].steps(s, &words, e)) == -1) r = -1;
    else r = unfinished_cleared(back, e);
  }
  strlist_free(&words);
  return r;
}
