/* import_value: what columns of an old user database mean, in ours.  Pure. */
#ifndef USER_IMPORT_VALUE_H
#define USER_IMPORT_VALUE_H

#include <stdint.h>

#include "base/stralloc.h"

/* Bits of pw_gid above 255 changed their meaning between releases. */
enum import_numbering { IMPORT_NUMBERING_UNKNOWN, IMPORT_NUMBERING_OLD, IMPORT_NUMBERING_NEW };
enum import_flags { IMPORT_FLAGS_OK, IMPORT_FLAGS_MORE, IMPORT_FLAGS_ASK };
/* The flags of user/userdb.h.  MORE: there are bits that never meant anything, which are left aside;
 * ASK: the numbering has to be known. */
enum import_flags import_flags(int64_t gid, enum import_numbering numbering, uint32_t *flags);

/* Stored bytes as UTF-8: they are that, or Latin-1.  1, or 0 without memory. */
int import_text(const char *s, size_t n, stralloc *out) MUST_CHECK;
/* A comment as account_gecos_ok wants it: 1 it was, 0 it was made so (blanks for other characters, cut). */
int import_gecos(stralloc *gecos);
/* The secrets of SCRAM without the password that may stand behind them.  1; 0 there are none that can be
 * used, out is ""; -1 no memory.  "" gives 1. */
int import_scram(const char *s, stralloc *out) MUST_CHECK;

#endif
