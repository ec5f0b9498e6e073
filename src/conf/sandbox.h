/* sandbox: a program that has started gives up what sandbox.def does not leave it: system calls
 * by seccomp(2), files by landlock(7), more rights by exec for ever.  What it is denied fails with
 * EPERM or EACCES.  It is for programs that exec nothing: both are inherited, and with them a
 * set-uid qmail-queue would have the rights of its caller only. */
#ifndef CONF_SANDBOX_H
#define CONF_SANDBOX_H

#include "base/attr.h"
#include "base/strerr.h"

enum sandbox_program {
#define CALL(name, group)
#define OLD_CALL(name, group, number)
#define SANDBOX(program, groups, meaning) SANDBOX_##program,
#define PLACE(name, program, place, rights)
#include "conf/sandbox.def"
#undef CALL
#undef OLD_CALL
#undef SANDBOX
#undef PLACE
  SANDBOXES
};

/* For the rest of the process.  also, when not null, is one more path it may change.  0; 1 when
 * the kernel lacks part of it, which e says (what there is is in force); -1 with e filled. */
int sandbox_enter(enum sandbox_program program, const char *also, struct strerr *e) MUST_CHECK;
/* The same as programs do it: not at all when wanted is 0; what is lacking is told once on
 * descriptor 2 behind prefix, and the program goes on. */
void sandbox_start(enum sandbox_program program, int wanted, const char *also, const char *prefix);

#endif
