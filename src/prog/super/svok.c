/* svok: tells by its exit code whether a supervise runs for a directory. */
#include <sys/stat.h>

#include "base/options.h"
#include "super/svstate.h"

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  struct strerr e;
  struct stat st;
  int i = options_or_die(argc, argv, table, "svok dir", 1, 1);

  if (stat(argv[i], &st) == -1)
    strerr_diem_sys(111, "svok: fatal: ", "unable to look at ", argv[i], (char *)0);
  switch (sv_ok(argv[i], &e)) {
    case 1: return 0;
    case 0: return 100;
    default: strerr_die(111, "svok: fatal: ", &e);
  }
}
