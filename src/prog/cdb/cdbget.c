/* cdbget: prints the data of one key of the cdb on fd 0. */
#include <string.h>

#include "base/cdb.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/scan.h"
#include "base/strerr.h"

#define FATAL "cdbget: fatal: "
#define USAGE "cdbget [-n] key [skip] < file"

int main(int argc, char **argv) {
  int newline = 0;
  const struct option table[] = {
      {'n', OPTION_FLAG, &newline, 1},
      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, table, USAGE, 1, 2);
  struct cdb c;
  uint64_t skip = 0;
  int r;

  if (argv[i + 1] && !scan_u64(argv[i + 1], strlen(argv[i + 1]), &skip)) strerr_die_usage(USAGE);
  if (cdb_init(&c, 0) == -1) strerr_diem_sys(111, FATAL, "unable to read input", (char *)0);
  cdb_findstart(&c);
  do {
    r = cdb_findnext(&c, argv[i], strlen(argv[i]));
    if (r == -1) strerr_diem_sys(111, FATAL, "unable to read input", (char *)0);
    if (r == 0) return 100;
  } while (skip--);
  if (fd_write_all(1, cdb_data(&c), c.dlen) == -1 || (newline && fd_write_all(1, "\n", 1) == -1))
    strerr_diem_sys(111, FATAL, "unable to write output", (char *)0);
  return 0;
}
