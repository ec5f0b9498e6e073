/* dotqmail: see dotqmail.h. */
#include "local/dotqmail.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/fd.h"

#define FILE_MAX (1u << 20)

/* The extension as part of a file name: it cannot leave the directory. */
static int safe_ext(stralloc *out, const char *ext) {
  if (!stralloc_copys(out, ext)) return 0;
  bytes_lower(out->s, out->len);
  for (size_t i = 0; i < out->len; ++i)
    if (out->s[i] == '.') out->s[i] = ':';
  return 1;
}

static enum dotqmail temp(struct strerr *e, const char *name) {
  strerr_sys(e, "unable to read ", name, (char *)0);
  return DOTQMAIL_TEMP;
}

static enum dotqmail read_open(int fd, struct dotqmail_file *f, struct strerr *e) {
  struct stat st;

  if (fstat(fd, &st) == -1) return temp(e, f->name.s);
  if (!S_ISREG(st.st_mode)) {
    strerr_set(e, f->name.s, " is not a plain file", (char *)0);
    return DOTQMAIL_TEMP;
  }
  if (st.st_mode & 022) {
    strerr_set(e, f->name.s, " is writable by others", (char *)0);
    return DOTQMAIL_TEMP;
  }
  f->forward_only = (st.st_mode & 0100) != 0;
  stralloc_cut(&f->text, 0);
  return fd_slurp_file(fd, &f->text, FILE_MAX) == -1 ? temp(e, f->name.s) : DOTQMAIL_FOUND;
}

/* Tries one name: .qmail dash middle suffix. */
static enum dotqmail try(struct dotqmail_file *f, const char *dash, const char *middle, size_t n,
                         const char *suffix, struct strerr *e) {
  enum dotqmail r;
  int fd;

  stralloc_cut(&f->name, 0);
  if (!stralloc_catm(&f->name, ".qmail", dash, (char *)0) || !stralloc_catb(&f->name, middle, n) ||
      !stralloc_cats(&f->name, suffix))
    return temp(e, ".qmail");
  if (bytes_chr(f->name.s, f->name.len, '/') != f->name.len) return DOTQMAIL_NONE;
  fd = fd_open_read(f->name.s);
  if (fd == -1) return errno == ENOENT || errno == ENAMETOOLONG ? DOTQMAIL_NONE : temp(e, f->name.s);
  r = read_open(fd, f, e);
  fd_close(fd);
  return r;
}

enum dotqmail dotqmail_find(const char *dash, const char *ext, struct dotqmail_file *f,
                            struct strerr *e) {
  stralloc safe = STRALLOC_INIT;
  enum dotqmail r;

  if (!safe_ext(&safe, ext)) return temp(e, ".qmail");
  r = try(f, dash, stralloc_cstr(&safe), safe.len, "", e);
  if (r == DOTQMAIL_NONE && *dash) {
    for (size_t i = safe.len + 1; i-- > 0 && r == DOTQMAIL_NONE;) {
      if (i && safe.s[i - 1] != '-') continue;
      r = try(f, dash, stralloc_cstr(&safe), i, "default", e);
      if (r != DOTQMAIL_FOUND) continue;
      f->is_default = 1;
      if (!stralloc_copys(&f->matched, ext + i)) r = temp(e, f->name.s);
    }
  }
  stralloc_free(&safe);
  return r;
}

int dotqmail_exists(const char *dash, const char *ext, const char *suffix, struct strerr *e) {
  stralloc name = STRALLOC_INIT;
  stralloc safe = STRALLOC_INIT;
  struct stat st;
  int r = -1;

  if (!safe_ext(&safe, ext) ||
      !stralloc_catm(&name, ".qmail", dash, stralloc_cstr(&safe), suffix, (char *)0))
    strerr_sys(e, "unable to look for ", suffix, (char *)0);
  else if (bytes_chr(name.s, name.len, '/') != name.len) r = 0; /* as dotqmail_find: no other directory */
  else if (stat(name.s, &st) == 0) r = 1;
  else if (errno == ENOENT || errno == ENAMETOOLONG) r = 0;
  else strerr_sys(e, "unable to look for ", name.s, (char *)0);
  stralloc_free(&name);
  stralloc_free(&safe);
  return r;
}

void dotqmail_free(struct dotqmail_file *f) {
  stralloc_free(&f->name);
  stralloc_free(&f->text);
  stralloc_free(&f->matched);
}
