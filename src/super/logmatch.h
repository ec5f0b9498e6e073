/* logmatch: the patterns of multilog. */
#ifndef SUPER_LOGMATCH_H
#define SUPER_LOGMATCH_H

#include <stddef.h>

/* Does the whole line match?  A * matches any run of characters that does not hold
 * the character after it in the pattern; at the pattern's end it matches anything.
 * 1 or 0. */
int logmatch(const char *pattern, const char *s, size_t n);

#endif
