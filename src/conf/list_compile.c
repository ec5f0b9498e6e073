/* list_compile: see list_compile.h. */
#include "conf/list_compile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cdb.h"
#include "base/fd.h"
#include "base/file.h"
#include "conf/conf.h"

#define SOURCE_MAX (1u << 30)
#define MODE 0644

struct odd {
  void (*fn)(void *ctx, uint64_t number, const char *line);
  void *ctx;
};

static int add_line(struct cdb_make *m, const char *prefix, const char *line, size_t n, uint64_t number, const struct odd *odd) {
  stralloc key = STRALLOC_INIT;
  int r = -1;

  if (stralloc_copys(&key, prefix) && stralloc_catb(&key, line, n)) {
    bytes_lower(key.s, key.len);
    if (odd->fn && strpbrk(key.s, "*?[\\")) odd->fn(odd->ctx, number, key.s + strlen(prefix));
    r = cdb_make_add(m, key.s, key.len, "", 0);
  } else {
    errno = ENOMEM;
  }
  stralloc_free(&key);
  return r;
}

static int add_lines(struct cdb_make *m, const char *prefix, const stralloc *text, const struct odd *odd) {
  const char *s = stralloc_cstr(text);
  uint64_t number = 1;

  for (size_t left = text->len, i; left; ++number, s += i, left -= i) {
    size_t n;

    i = n = bytes_chr(s, left, '\n');
    if (i < left) ++i;
    while (n && memchr(" \t\r", s[n - 1], 3)) --n;
    if (n && *s != '#' && add_line(m, prefix, s, n, number, odd) == -1) return -1;
  }
  return 0;
}

/* The whole database into fd, down to the disk. */
static int write_cdb(int fd, const char *prefix, const stralloc *text, const struct odd *odd) {
  struct cdb_make m;
  int r = cdb_make_start(&m, fd);

  if (r == 0) r = add_lines(&m, prefix, text, odd);
  if (r == 0) r = cdb_make_finish(&m);
  cdb_make_free(&m);
  return r == 0 && fchmod(fd, MODE) == 0 ? fsync(fd) : -1;
}

static int replace(const char *tmp, const char *target, const char *prefix, const stralloc *text, const struct odd *odd) {
  stralloc dir = STRALLOC_INIT;
  int fd = fd_open_trunc(tmp, MODE);
  int r = fd == -1 ? -1 : write_cdb(fd, prefix, text, odd);

  if (fd != -1 && close(fd) == -1) r = -1;
  if (r == 0) r = rename(tmp, target);
  if (r == -1) {
    int saved = errno;

    unlink(tmp);
    errno = saved;
  } else {
    r = file_dirname(target, &dir) == 0 ? fd_syncdir(dir.s) : -1;
  }
  stralloc_free(&dir);
  return r;
}

int list_compile(const char *source, const char *prefix, void (*odd)(void *ctx, uint64_t number, const char *line), void *ctx,
                 struct strerr *e) {
  stralloc text = STRALLOC_INIT, target = STRALLOC_INIT, tmp = STRALLOC_INIT;
  const struct odd o = {odd, ctx};
  int r = file_read(source, &text, SOURCE_MAX);

  if (r == 0) errno = ENOENT;
  if (r != 1) {
    r = strerr_sys(e, "unable to read ", source, (char *)0);
  } else {
    errno = ENOMEM;
    r = stralloc_catm(&target, source, CONF_LIST_CDB, (char *)0) && stralloc_catm(&tmp, target.s, ".tmp", (char *)0)
            ? replace(tmp.s, target.s, prefix, &text, &o)
            : -1;
    if (r == -1) strerr_sys(e, "unable to make ", source, CONF_LIST_CDB, (char *)0);
  }
  stralloc_free(&text);
  stralloc_free(&target);
  stralloc_free(&tmp);
  return r;
}
