/* setlock: locks a file, then runs a program that keeps the lock. */
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/options.h"
#include "super/chain.h"

#define FATAL "setlock: fatal: "

int main(int argc, char **argv) {
  int nonblock = 0, quiet = 0;
  const struct option table[] = {
      {'n', OPTION_FLAG, &nonblock, 1},
      {'N', OPTION_FLAG, &nonblock, 0},
      {'x', OPTION_FLAG, &quiet, 1},
      {'X', OPTION_FLAG, &quiet, 0},
      {0, OPTION_FLAG, 0, 0},
  };
  struct strerr e;
  int i = options_or_die(argc, argv, table, "setlock [-nNxX] file program [arg ...]", 2, -1);
  int fd = fd_open_append(argv[i], 0600);

  if (fd == -1) {
    if (quiet) _exit(0);
    strerr_diem_sys(111, FATAL, "unable to open ", argv[i], (char *)0);
  }
  if ((nonblock ? lock_exnb(fd) : lock_ex(fd)) == -1) {
    if (quiet) _exit(0);
    strerr_diem_sys(111, FATAL, "unable to lock ", argv[i], (char *)0);
  }
  if (fd_cloexec(fd, 0) == -1) strerr_diem_sys(111, FATAL, "unable to keep ", argv[i], " open", (char *)0);
  chain_exec(argv + i + 1, 0, &e);
  strerr_die(111, FATAL, &e);
}
