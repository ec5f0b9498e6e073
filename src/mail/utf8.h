/* utf8: is text UTF-8 (RFC 3629)?  Pure. */
#ifndef MAIL_UTF8_H
#define MAIL_UTF8_H

#include <stddef.h>

/* 1, or 0: a byte out of place, a form that is longer than needed, a surrogate, or beyond U+10FFFF. */
int utf8_valid(const char *s, size_t n);

#endif
