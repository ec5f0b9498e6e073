/* mime_parameter: parameters of a field of MIME (RFC 2045 5.1): "; name=value", the value a token or
 * a quoted string.  What is malformed is read as far as it can be.  Pure. */
#ifndef MAIL_MIME_PARAMETER_H
#define MAIL_MIME_PARAMETER_H

#include "base/stralloc.h"

/* Zeroed before use; the value is the caller's to free. */
struct mime_parameter {
  const char *name; /* in the field */
  size_t name_n;
  stralloc value; /* without quotes */
};

/* The next one from *i on: 1, 0 at the end, -1 without memory.  One without a value is left out. */
int mime_parameter_next(const char *s, size_t n, size_t *i, struct mime_parameter *p) MUST_CHECK;
/* Has it this name, ASCII case aside? */
int mime_parameter_is(const struct mime_parameter *p, const char *name);
/* Is it a part of this name's value: name*0, name*1* and so on (RFC 2231)? */
int mime_parameter_continues(const struct mime_parameter *p, const char *name);

#endif
