/* cdbmake: builds a cdb from records "+klen,dlen:key->data", an empty line at the
 * end.  The file appears whole or not at all: written aside, synced, renamed. */
#include <stdio.h>
#include <unistd.h>

#include "base/cdb.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/options.h"
#include "base/strerr.h"
#include "base/substdio.h"

#define FATAL "cdbmake: fatal: "

static void die_read(void) {
  strerr_diem_sys(111, FATAL, "unable to read input", (char *)0);
}

static void die_format(void) {
  strerr_diem(111, FATAL, "unable to read input: bad format", (char *)0);
}

static char get(substdio *in) {
  ssize_t n = substdio_feed(in);
  char c;

  if (n == -1) die_read();
  if (n == 0) die_format();
  c = *substdio_peek(in);
  substdio_take(in, 1);
  return c;
}

static void expect(substdio *in, const char *text) {
  for (; *text; ++text)
    if (get(in) != *text) die_format();
}

/* Digits up to the character that ends them. */
static uint32_t number(substdio *in, char end) {
  uint64_t u = 0;
  char c = get(in);

  if (c == end) die_format();
  for (; c != end; c = get(in)) {
    if (c < '0' || c > '9') die_format();
    u = u * 10 + (uint64_t)(c - '0');
    if (u > UINT32_MAX) die_format();
  }
  return (uint32_t)u;
}

/* Memory grows with what arrives, not with what was announced. */
static void take(substdio *in, stralloc *sa, uint32_t len) {
  stralloc_cut(sa, 0);
  while (sa->len < len) {
    ssize_t n = substdio_feed(in);
    size_t part = len - sa->len;

    if (n == -1) die_read();
    if (n == 0) die_format();
    if (part > (size_t)n) part = (size_t)n;
    if (!stralloc_catb(sa, substdio_peek(in), part)) strerr_die_nomem(FATAL);
    substdio_take(in, part);
  }
}

static void add_records(substdio *in, struct cdb_make *m, const char *tmp) {
  stralloc key = STRALLOC_INIT, data = STRALLOC_INIT;
  char c;

  while ((c = get(in)) != '\n') {
    uint32_t klen, dlen;

    if (c != '+') die_format();
    klen = number(in, ',');
    dlen = number(in, ':');
    take(in, &key, klen);
    expect(in, "->");
    take(in, &data, dlen);
    expect(in, "\n");
    if (cdb_make_add(m, stralloc_cstr(&key), klen, stralloc_cstr(&data), dlen) == -1)
      strerr_diem_sys(111, FATAL, "unable to write ", tmp, (char *)0);
  }
}

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, table, "cdbmake file temporary < records", 2, 2);
  const char *path = argv[i], *tmp = argv[i + 1];
  char buf[SUBSTDIO_SIZE];
  stralloc dir = STRALLOC_INIT;
  struct cdb_make m;
  substdio in;
  int fd = fd_open_trunc(tmp, 0644);

  if (fd == -1) strerr_diem_sys(111, FATAL, "unable to create ", tmp, (char *)0);
  substdio_initfd_read(&in, 0, buf, sizeof buf);
  if (cdb_make_start(&m, fd) == -1) strerr_diem_sys(111, FATAL, "unable to write ", tmp, (char *)0);
  add_records(&in, &m, tmp);
  if (cdb_make_finish(&m) == -1 || fsync(fd) == -1 || close(fd) == -1)
    strerr_diem_sys(111, FATAL, "unable to write ", tmp, (char *)0);
  if (rename(tmp, path) == -1)
    strerr_diem_sys(111, FATAL, "unable to rename ", tmp, " to ", path, (char *)0);
  if (file_dirname(path, &dir) == -1 || fd_syncdir(dir.s) == -1)
    strerr_diem_sys(111, FATAL, "unable to sync the directory of ", path, (char *)0);
  return 0;
}
