/* utf8: is text UTF-8 (RFC 3629)?  Pure. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* 1, or 0: a byte out of place, a form that is longer than needed, a surrogate, or beyond U+10FFFF. */
int utf8_valid(const char *s, size_t n);
/* The character at the start of n bytes: how many it has, with its number; 0: none that is valid. */
size_t utf8_character(const char *s, size_t n, uint32_t *number);

#endif
