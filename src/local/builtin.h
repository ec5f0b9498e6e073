/* builtin: programs of ours that .qmail lines name often, carried out in this process
 * instead of being started.  They do what the program does, with the same code. */
#ifndef LOCAL_BUILTIN_H
#define LOCAL_BUILTIN_H

#include "base/env.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "user/lookup.h"
#include "user/vdeliver.h"

struct builtin_call {
  const struct strlist *words; /* the program's path and arguments */
  struct env *env;             /* its environment */
  int message;
  const struct conf *conf;
  struct lookup *lookup; /* kept open from one delivery to the next */
  int alone;             /* there is no other instruction */
  struct vdeliver_done *done; /* filled with what it did */
};

/* 1 with the program's exit code in *code and its text on fd 2; 0: not a builtin, or
 * with arguments it does not know, start the program. */
int builtin_run(const struct builtin_call *c, int *code);

#endif
