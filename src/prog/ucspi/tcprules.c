/* tcprules: compiles access rules into a cdb for tcpserver. */
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/fmt.h"
#include "base/options.h"
#include "base/substdio.h"
#include "super/tcprules.h"

#define FATAL "tcprules: fatal: "
#define LINE_MAX_BYTES 65536

static int add(void *ctx, const char *key, size_t klen, const char *data, size_t dlen) {
  if (cdb_make_add(ctx, key, klen, data, dlen) == 0) return 0;
  strerr_diem_sys(111, FATAL, "unable to write the rules", (char *)0);
}

static void compile(substdio *in, struct cdb_make *m) {
  const struct tcprules_sink sink = {add, m};
  stralloc line = STRALLOC_INIT;
  uint64_t number = 0;
  int match = 1;

  while (match) {
    char digits[FMT_U64 + 1];
    struct strerr e;

    stralloc_cut(&line, 0);
    if (getln(in, &line, &match, '\n', LINE_MAX_BYTES) == -1)
      strerr_diem_sys(111, FATAL, "unable to read input", (char *)0);
    ++number;
    if (match) stralloc_cut(&line, line.len - 1);
    if (tcprules_compile(stralloc_cstr(&line), line.len, &sink, &e) == -1)
      strerr_diem(e.permanent ? 100 : 111, FATAL, "line ", fmt_u64_z(digits, number), ": ", e.text, ": ",
                  stralloc_cstr(&line), (char *)0);
  }
  stralloc_free(&line);
}

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, table, "tcprules rules.cdb rules.tmp < rules", 2, 2);
  const char *path = argv[i], *tmp = argv[i + 1];
  char buf[SUBSTDIO_SIZE];
  stralloc dir = STRALLOC_INIT;
  struct cdb_make m;
  substdio in;
  int fd = fd_open_trunc(tmp, 0644);

  if (fd == -1) strerr_diem_sys(111, FATAL, "unable to create ", tmp, (char *)0);
  substdio_initfd_read(&in, 0, buf, sizeof buf);
  if (cdb_make_start(&m, fd) == -1) strerr_diem_sys(111, FATAL, "unable to write ", tmp, (char *)0);
  compile(&in, &m);
  if (cdb_make_finish(&m) == -1 || fsync(fd) == -1 || close(fd) == -1)
    strerr_diem_sys(111, FATAL, "unable to write ", tmp, (char *)0);
  if (rename(tmp, path) == -1)
    strerr_diem_sys(111, FATAL, "unable to rename ", tmp, " to ", path, (char *)0);
  if (file_dirname(path, &dir) == -1 || fd_syncdir(dir.s) == -1)
    strerr_diem_sys(111, FATAL, "unable to sync the directory of ", path, (char *)0);
  return 0;
}
