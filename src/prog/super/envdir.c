/* envdir: runs a program with an environment changed by a directory. */
#include <stdlib.h>

#include "base/options.h"
#include "super/chain.h"
#include "super/envdir.h"

#define FATAL "envdir: fatal: "

int main(int argc, char **argv) {
  int clear = 0, skip = 0, warn = 0, search = 0;
  const struct option table[] = {
      {'c', OPTION_FLAG, &clear, 1},
      {'i', OPTION_FLAG, &skip, 1},
      {'p', OPTION_FLAG, &search, 1},
      {'w', OPTION_FLAG, &warn, 1},
      {0, OPTION_FLAG, 0, 0},
  };
  struct env env = {0};
  struct strerr e;
  const char *path;
  int i = options_or_die(argc, argv, table, "envdir [-cipw] dir program [arg ...]", 2, -1);

  if (!clear && !env_import(&env)) strerr_die_nomem(FATAL);
  if (envdir_read(&env, argv[i], (skip ? ENVDIR_SKIP : 0) | (warn ? ENVDIR_WARN : 0), &e) == -1)
    strerr_die(111, FATAL, &e);
  path = env_lookup(&env, "PATH");
  if (search && path && setenv("PATH", path, 1) == -1) strerr_die_nomem(FATAL);
  chain_exec(argv + i + 1, &env, &e);
  strerr_die(111, FATAL, &e);
}
