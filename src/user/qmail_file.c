/* qmail_file: see qmail_file.h. */
#include "user/qmail_file.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"

#define QMAIL_MAX 65536

/* Between quotes of the shell a quote is written '\''. */
static int add_quoted(stralloc *out, const char *s) {
  for (; *s; ++s)
    if (*s == '\'' ? !stralloc_cats(out, "'\\''") : !stralloc_append(out, *s)) return 0;
  return 1;
}

/* The length of dir, followed by a slash, at the start of s; 0 when something else is there. */
static size_t starts_with(const char *s, size_t n, const stralloc *dir) {
  return n > dir->len && !memcmp(s, dir->s, dir->len) && s[dir->len] == '/' ? dir->len : 0;
}

/* The home in a command, wherever a word or a part of one begins. */
static int change_command(const char *s, size_t n, const struct qmail_change *c, stralloc *out) {
  stralloc plain = STRALLOC_INIT, quoted = STRALLOC_INIT;
  int ok = stralloc_copys(&plain, c->home) && stralloc_copys(&quoted, "") && add_quoted(&quoted, c->home);

  for (size_t i = 0, len; ok && i < n; i += len) {
    const char before = i ? s[i - 1] : ' ';

    len = 0;
    if (before == '\'' && (len = starts_with(s + i, n - i, &quoted)) != 0) ok = add_quoted(out, c->new_home);
    else if (strchr(" \t\"=:<>|;&(", before) && (len = starts_with(s + i, n - i, &plain)) != 0) ok = stralloc_cats(out, c->new_home);
    else ok = stralloc_append(out, s[i]);
    if (!len) len = 1;
  }
  stralloc_free(&plain);
  stralloc_free(&quoted);
  return ok;
}

static int change_path(const char *s, size_t n, const struct qmail_change *c, stralloc *out) {
  const size_t home = strlen(c->home);
  const int inside = n > home && !memcmp(s, c->home, home) && s[home] == '/';

  return (!inside || stralloc_cats(out, c->new_home)) && stralloc_catb(out, s + (inside ? home : 0), n - (inside ? home : 0));
}

/* "&address", "address" */
static int change_forward(const char *s, size_t n, const struct qmail_change *c, stralloc *out) {
  const size_t address = strlen(c->address);
  size_t end = n, start = 0;

  while (end && strchr(" \t\r", s[end - 1])) --end;
  while (start < end && strchr("& \t", s[start])) ++start;
  if (end - start < address || (*c->address != '@' && end - start != address) ||
      !bytes_caseequal(s + end - address, c->address, address))
    return stralloc_catb(out, s, n);
  return stralloc_catb(out, s, end - address) && stralloc_cats(out, c->new_address) && stralloc_catb(out, s + end, n - end);
}

static int change_line(const char *s, size_t n, const struct qmail_change *c, stralloc *out) {
  size_t i = 0;

  while (i < n && (s[i] == ' ' || s[i] == '\t')) ++i;
  if (!stralloc_catb(out, s, i)) return 0;
  s += i;
  n -= i;
  if (!n || *s == '#') return stralloc_catb(out, s, n);
  return *s == '|' ? change_command(s, n, c, out) : *s == '/' ? change_path(s, n, c, out) : change_forward(s, n, c, out);
}

int qmail_change(const stralloc *text, const struct qmail_change *c, stralloc *out) {
  int ok = 1;

  stralloc_cut(out, 0);
  for (size_t i = 0; ok && i < text->len;) {
    size_t n = bytes_chr(text->s + i, text->len - i, '\n');

    ok = change_line(text->s + i, n, c, out);
    i += n;
    if (ok && i < text->len) ok = stralloc_append(out, text->s[i++]);
  }
  return !ok ? -1 : out->len != text->len || (out->len && memcmp(out->s, text->s, out->len) != 0);
}

/* Deliveries cannot read it either, and wait: whoever moves the user need not. */
static int is_hopeless(int error) {
  return error == EACCES || error == EFBIG || error == EISDIR || error == ELOOP;
}

int qmail_change_file(const char *dir, const struct qmail_change *c, struct strerr *e) {
  stralloc path = STRALLOC_INIT, old = STRALLOC_INIT, new = STRALLOC_INIT;
  int r = stralloc_catm(&path, dir, "/.qmail", (char *)0) ? file_read(path.s, &old, QMAIL_MAX) : -1;

  if (r == -1 && is_hopeless(errno)) r = 0;
  if (r != -1) file_sweep(path.s);
  if (r == 1) r = qmail_change(&old, c, &new);
  if (r == 1) r = file_replace(path.s, new.s, new.len, 0600);
  if (r == -1) strerr_sys(e, "unable to change ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&path);
  stralloc_free(&old);
  stralloc_free(&new);
  return r;
}
