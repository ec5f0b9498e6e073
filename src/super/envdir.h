/* envdir: an environment kept as a directory: one file a variable, its first line
 * the value.
 *
 * An empty file removes the variable; blanks at the end of the line go away, NUL
 * bytes become line feeds.  Names that begin with a dot are skipped, except for two:
 * .envdir (a directory, a link to one, or a file that lists directories) is read
 * before the rest, .envfile holds lines NAME=value. */
#ifndef SUPER_ENVDIR_H
#define SUPER_ENVDIR_H

#include "base/env.h"
#include "base/strerr.h"

#define ENVDIR_SKIP 1u /* leave out what cannot be read, silently */
#define ENVDIR_WARN 2u /* the same, and say so on fd 2 */

/* Change env by the directory: 0, or -1 with e filled. */
int envdir_read(struct env *env, const char *dir, unsigned flags, struct strerr *e) MUST_CHECK;

#endif
