/* ask_program: a program of the administrator's that is asked about a client, a sender or a recipient. */
#ifndef SMTP_ASK_PROGRAM_H
#define SMTP_ASK_PROGRAM_H

#include "base/stralloc.h"
#include "base/strerr.h"

#define ASK_PROGRAM_ANSWER 4096 /* bytes of an answer; more is dropped */
#define ASK_PROGRAM_SECONDS 20

/* Run the command (words between blanks) with the question to read on descriptor 3, and what it writes
 * on 1 into answer, or to nowhere where that is null; its 0 is /dev/null, its 2 the log, nothing else is
 * open.  Its exit code, or -1 with e filled when it exits 111, is killed, takes too long or cannot be
 * run.  The question is shorter than what a pipe holds. */
int ask_program(const char *command, const stralloc *question, stralloc *answer, struct strerr *e) MUST_CHECK;

#endif
