/* chain: what the small programs end in: becoming the program they prepared for. */
#ifndef SUPER_CHAIN_H
#define SUPER_CHAIN_H

#include "base/env.h"
#include "base/spawn.h"
#include "base/strerr.h"

/* Become argv[0] with its arguments, with the environment env (null: our own).
 * Signals stay as they are.  Returns only on failure: -1 with e filled. */
int chain_exec(char *const *argv, struct env *env, struct strerr *e);

#endif
