/* setuidgid: gives up root for an account's user and groups, then runs a program. */
#include "base/options.h"
#include "super/account.h"
#include "super/chain.h"

#define FATAL "setuidgid: fatal: "

int main(int argc, char **argv) {
  int own = 0, set_env = 0;
  const char *list = 0;
  const struct option table[] = {
      {'s', OPTION_FLAG, &own, 1},
      {'e', OPTION_FLAG, &set_env, 1},
      {'g', OPTION_STRING, &list, 0},
      {0, OPTION_FLAG, 0, 0},
  };
  struct account a = {0};
  struct env env = {0};
  struct strerr e;
  int i = options_or_die(argc, argv, table, "setuidgid [-es] [-g group,...] account program [arg ...]", 2, -1);

  if (account_find(argv[i], &a, &e) != 1) strerr_die(111, FATAL, &e);
  a.group[a.groups++] = a.gid;
  if (own && account_own_groups(&a, &e) == -1) strerr_die(111, FATAL, &e);
  if (list && account_add_groups(&a, list, 0, &e) == -1) strerr_die(111, FATAL, &e);
  if (!env_import(&env)) strerr_die_nomem(FATAL);
  if (set_env && (!env_set(&env, "HOME", stralloc_cstr(&a.home)) || !env_set(&env, "USER", stralloc_cstr(&a.name)) ||
                  !env_set(&env, "LOGNAME", stralloc_cstr(&a.name))))
    strerr_die_nomem(FATAL);
  if (account_become(&a) == -1) strerr_diem_sys(111, FATAL, "unable to become ", argv[i], (char *)0);
  chain_exec(argv + i + 1, &env, &e);
  strerr_die(111, FATAL, &e);
}
