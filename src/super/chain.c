/* chain: see chain.h. */
#include "super/chain.h"

#include <errno.h>

int chain_exec(char *const *argv, struct env *env, struct strerr *e) {
  struct spawn sp = {.path = argv[0], .argv = argv, .keep_signals = 1};

  if (env) {
    sp.envp = env_vector(env);
    if (!sp.envp) {
      errno = ENOMEM;
      return strerr_sys(e, "unable to run ", argv[0], (char *)0);
    }
  }
  return spawn_exec(&sp, e);
}
