/* list_compile: makes a database of a list: each line, in small letters and with a prefix, is a
 * key without data. */
#ifndef CONF_LIST_COMPILE_H
#define CONF_LIST_COMPILE_H

#include <stdint.h>

#include "base/strerr.h"

/* Make SOURCE.cdb of source, in one step: who looks finds the old one or the new one.  Empty lines
 * and # comments are left out.  Each line with wildcards, which a database knows nothing of, is
 * told to odd (may be null).  0, or -1 with e filled. */
int list_compile(const char *source, const char *prefix, void (*odd)(void *ctx, uint64_t number, const char *line), void *ctx,
                 struct strerr *e) MUST_CHECK;

#endif
