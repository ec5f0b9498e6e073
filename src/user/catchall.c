/* catchall: see catchall.h. */
#include "user/catchall.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"

#define FILE_MAX 65536

/* What vadddomain writes for a domain that takes no stray mail: a line for vdelivermail
 * with the default action to bounce. */
static int bounces(const stralloc *text) {
  static const char action[] = " bounce-no-mailbox";
  size_t n = bytes_chr(text->s, text->len, '\n');

  while (n && (text->s[n - 1] == ' ' || text->s[n - 1] == '\t')) --n;
  return n >= sizeof action && *text->s == '|' && !memcmp(text->s + n - (sizeof action - 1), action, sizeof action - 1);
}

enum trial { NO_FILE, TAKES, BOUNCES, FAILED };

/* DIR/.qmail-MIDDLE SUFFIX. */
static enum trial try(const char *dir, const char *middle, size_t n, const char *suffix, stralloc *path,
                              stralloc *text, struct strerr *e) {
  int r;

  stralloc_cut(path, 0);
  if (!stralloc_catm(path, dir, "/.qmail-", (char *)0) || !stralloc_catb(path, middle, n) || !stralloc_cats(path, suffix)) {
    strerr_sys(e, "unable to look for .qmail", (char *)0);
    return FAILED;
  }
  r = file_read(path->s, text, FILE_MAX);
  if (r == 0 || (r == -1 && errno == ENAMETOOLONG)) return NO_FILE;
  if (r == 1) return bounces(text) ? BOUNCES : TAKES;
  if (errno == EFBIG) return TAKES;
  strerr_sys(e, "unable to read ", path->s, (char *)0);
  return FAILED;
}

enum userdb_result catchall_find(const char *dir, const char *user, struct strerr *e) {
  static const enum userdb_result results[] = {
      [NO_FILE] = USERDB_NONE, [TAKES] = USERDB_FOUND, [BOUNCES] = USERDB_NONE, [FAILED] = USERDB_TEMPFAIL};
  stralloc name = STRALLOC_INIT, path = STRALLOC_INIT, text = STRALLOC_INIT;
  enum trial r = NO_FILE;

  if (!stralloc_copys(&name, user)) {
    strerr_sys(e, "unable to look for .qmail", (char *)0);
    r = FAILED;
  } else if (bytes_chr(name.s, name.len, '/') != name.len) {
    stralloc_cut(&name, 0); /* only -default can be meant */
  }
  for (size_t i = 0; i < name.len; ++i)
    if (name.s[i] == '.') name.s[i] = ':';
  if (r == NO_FILE && name.len) r = try(dir, name.s, name.len, "", &path, &text, e);
  for (size_t i = name.len + 1; i-- > 0 && r == NO_FILE;)
    if (!i || name.s[i - 1] == '-') r = try(dir, name.s, i, "default", &path, &text, e);
  stralloc_free(&name);
  stralloc_free(&path);
  stralloc_free(&text);
  return results[r];
}
