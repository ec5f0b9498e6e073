/* supervise: runs one service directory; the work is in super/supervise.h. */
#include <errno.h>

#include "base/env.h"
#include "base/options.h"
#include "super/supervise.h"

int main(int argc, char **argv) {
  struct supervise_options o = {0};
  const struct option table[] = {
      {'p', OPTION_FLAG, &o.with_parent, 1},
      {0, OPTION_FLAG, 0, 0},
  };
  struct strerr e;
  int i = options_or_die(argc, argv, table, "supervise [-p] dir", 1, 2);

  o.dir = argv[i];
  o.new_group = env_get("SETPGID") != 0;
  if (supervise_run(&o, &e) == -1) strerr_die(111, "supervise: fatal: ", &e);
  return 0;
}
