/* bounce_processor: the administrator's program that sees a bounce before it is sent
 * ($BOUNCEPROCESSOR). */
#ifndef SEND_BOUNCE_PROCESSOR_H
#define SEND_BOUNCE_PROCESSOR_H

#include <stdint.h>

#include "base/env.h"
#include "base/strerr.h"

/* What it gets, as its arguments in this order; paths are below the queue, the program's
 * current directory. */
struct bounce_notice {
  const char *message, *text; /* paths */
  const char *report;         /* bounce/ID as text, cut when it is long */
  const char *from;           /* sender of the bounce: empty, or #@[] */
  const char *recipient;      /* the first that failed */
  const char *to;             /* who gets the bounce */
};

enum bounce_wish { BOUNCE_WISH_SEND, BOUNCE_WISH_DROP, BOUNCE_WISH_LATER };
/* Run it and wait (base/wait.h): exit code 0, 1, anything else (e says what).  After so many
 * seconds it and what it has started are killed, and the bounce is made later. */
enum bounce_wish bounce_process(const char *program, const struct bounce_notice *n, struct env *env, uint64_t seconds,
                                struct strerr *e);

#endif
