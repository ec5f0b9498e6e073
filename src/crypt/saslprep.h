/* saslprep: names and passwords as SASL compares them (RFC 4013), for ASCII.
 *
 * Preparation leaves printable ASCII as it is and prohibits control characters.  What becomes of
 * other text is in tables that few need: crypt/saslprep_unicode.h. */
#ifndef CRYPT_SASLPREP_H
#define CRYPT_SASLPREP_H

#include <stddef.h>

/* Is s[0..n-1] ASCII and its own prepared form?  Not of empty text. */
int saslprep_ok(const char *s, size_t n);

#endif
