/* program: one is run to its end (spawn.h for the rest), by a process that does nothing else meanwhile
 * or by one where others go on.
 *
 * What program_run's prints goes where our own output goes.  A process whose output is kept in memory for
 * somebody sets a limit: of each program that much goes there, what is more is read and dropped, and
 * whoever the program has left behind is not waited for. */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include "base/attr.h"
#include "base/now.h"
#include "base/spawn.h"
#include "base/stralloc.h"
#include "base/strerr.h"

/* For the rest of the process. */
void program_limit(size_t bytes);

/* Start it and wait: its exit code (spawn_code), or -1 with e filled when it could not be started or waited
 * for, or had to be killed at the deadline.  s moves what the program gets; its descriptors 1 and 2
 * are ours where nothing is moved there.  report: what it writes to descriptor 1 is appended; more
 * than max bytes are an error.  Null: no report. */
int program_run(struct spawn *s, stralloc *report, size_t max, deadline when, struct strerr *e) MUST_CHECK;

/* Start it and wait as base/wait.h does: its exit code, or -1 with e filled when it could not be started
 * or had to be killed at the deadline.  What it has written to descriptor fd by its end becomes the
 * answer, the first max bytes of it; the rest is read and dropped, and whoever it has left behind is not
 * waited for.  Null: no answer, fd is not touched.  Its 0, 1 and 2 are ours where s does not move
 * something there. */
int program_ask(struct spawn *s, int fd, stralloc *answer, size_t max, deadline when, struct strerr *e) MUST_CHECK;

#endif
