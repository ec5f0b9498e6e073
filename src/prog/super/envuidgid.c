/* envuidgid: runs a program with an account's ids in UID and GID. */
#include "base/options.h"
#include "super/account.h"
#include "super/chain.h"

#define FATAL "envuidgid: fatal: "

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  struct account a = {0};
  struct env env = {0};
  struct strerr e;
  int i = options_or_die(argc, argv, table, "envuidgid account program [arg ...]", 2, -1);

  if (account_find(argv[i], &a, &e) != 1) strerr_die(111, FATAL, &e);
  if (!env_import(&env) || !env_setu64(&env, "GID", a.gid) || !env_setu64(&env, "UID", a.uid))
    strerr_die_nomem(FATAL);
  chain_exec(argv + i + 1, &env, &e);
  strerr_die(111, FATAL, &e);
}
