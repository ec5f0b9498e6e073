/* saslprep: names and passwords as SASL compares them (RFC 4013), for ASCII.
 *
 * Preparation leaves printable ASCII as it is and prohibits control characters; of other
 * text we do not know what it becomes, so it is refused rather than compared wrongly. */
#ifndef CRYPT_SASLPREP_H
#define CRYPT_SASLPREP_H

#include <stddef.h>

/* Is the prepared form of s[0..n-1] known, and s itself?  Not of empty text. */
int saslprep_ok(const char *s, size_t n);

#endif
