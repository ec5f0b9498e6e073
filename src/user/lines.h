/* lines: control files that are lists of lines, changed by an administrator's program
 * while others read them: the new file replaces the old in one step.  Callers hold the
 * lock of site_lock, so that two programs do not undo each other. */
#ifndef USER_LINES_H
#define USER_LINES_H

#include "base/stralloc.h"
#include "base/strerr.h"

/* Add a line unless it is there (ASCII case aside): 1 added, 0 it was there, -1.  A
 * missing file is created, mode 0644. */
int lines_add(const char *path, const char *line, struct strerr *e) MUST_CHECK;
/* Remove each line that is equal to line, or, with prefix set, begins with it: 1, 0
 * there was none (or no file), -1. */
int lines_remove(const char *path, const char *line, int prefix, struct strerr *e) MUST_CHECK;
/* Is there such a line?  1, 0, -1. */
int lines_has(const char *path, const char *line, int prefix, struct strerr *e) MUST_CHECK;

#endif
