/* base64: RFC 4648 section 4, without line breaks. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/stralloc.h"

/* Append the encoding of n bytes.  1, or 0 when memory ran out. */
int base64_encode(stralloc *out, const char *s, size_t n) MUST_CHECK;
/* Append what the whole text stands for: 1; 0 if it is not base64 (padding wanted,
 * bits left over refused); -1 when memory ran out.  out may hold a part on failure. */
int base64_decode(stralloc *out, const char *s, size_t n) MUST_CHECK;

#endif
