/* json: text of ours as JSON. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/stralloc.h"

/* Append a string with its quotes; only ASCII comes out: UTF-8 as the characters it is, a byte that
 * is no part of UTF-8 as the character of that number, so no input gives invalid JSON.  1, or 0 when
 * memory ran out. */
int json_string(stralloc *out, const char *s, size_t n) MUST_CHECK;

#endif
