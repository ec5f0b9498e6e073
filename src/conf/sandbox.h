/* sandbox: a program that has started gives up what sandbox.def does not leave it: system calls
 * by seccomp(2), files by landlock(7), more rights by exec for ever.  What it is denied fails with
 * EPERM or EACCES.  It is for programs that exec nothing: both are inherited, and with them a
 * set-uid qmail-queue would have the rights of its caller only.  Who needs programs has them started by
 * a process outside (net/starter.h). */
#ifndef CONF_SANDBOX_H
#define CONF_SANDBOX_H

#include <stdint.h>

#include "base/attr.h"
#include "base/strerr.h"
#include "base/strlist.h"

enum sandbox_program {
#define SANDBOX(program, groups, meaning) SANDBOX_##program,
#include "conf/sandbox.def"
  SANDBOXES
};

/* What only the program knows. */
struct sandbox_places {
  const char *change;         /* a path, or null */
  const struct strlist *read; /* more of them, or null */
  uint16_t tcp_port;          /* the only one it calls over TCP, where it makes sockets; 0: any */
};

/* For the rest of the process.  also, when not null, is what it keeps beside the table.  0; 1 when
 * the kernel lacks part of it, which e says (what there is is in force); -1 with e filled. */
int sandbox_enter(enum sandbox_program program, const struct sandbox_places *also, struct strerr *e) MUST_CHECK;
/* The same as programs do it: not at all when wanted is 0; what is lacking is told once on
 * descriptor 2 behind prefix (null: nobody), and the program goes on. */
void sandbox_start(enum sandbox_program program, int wanted, const struct sandbox_places *also, const char *prefix);

#endif
