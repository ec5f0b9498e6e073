/* recipients_program: a program of the administrator's that knows which recipients there are. */
#ifndef SMTP_RECIPIENTS_PROGRAM_H
#define SMTP_RECIPIENTS_PROGRAM_H

#include "base/strerr.h"

/* Run the command (words between blanks) with the address and three NULs to read on descriptor
 * 3; nothing else is open but /dev/null on 0 and 1 and the log on 2.  1 when it exits 0, 0 when it
 * exits otherwise, -1 with e filled when it exits 111, is killed, takes too long or cannot be run. */
int recipients_program(const char *command, const char *address, struct strerr *e) MUST_CHECK;

#endif
