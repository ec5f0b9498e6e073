/* saslprep_unicode: passwords as SASL compares them (RFC 4013), in whatever script: an accent is the
 * same whether it was typed with its letter or behind it, a wide letter the same as a narrow one.
 *
 * The tables are GNU libidn's, which is loaded when the first password beyond ASCII comes, and only then.
 * Where it is not installed such a password has no prepared form.  Not for static programs. */
#ifndef CRYPT_SASLPREP_UNICODE_H
#define CRYPT_SASLPREP_UNICODE_H

#include "base/stralloc.h"

#define SASLPREP_MAX 255 /* bytes of a password */

/* Of a password that is to be kept, or of one that is to be compared: only the second may have characters
 * that Unicode 3.2 did not know. */
enum saslprep_use { SASLPREP_STORED, SASLPREP_QUERY };

/* Its prepared form, in place of what was in out, which is to be wiped: 1; 0 when it has none: it is not
 * UTF-8, has characters that are prohibited, mixes directions, is too long, or becomes nothing; -1 without
 * memory. */
int saslprep_unicode(stralloc *out, const char *password, enum saslprep_use use) MUST_CHECK;
/* The same where it is another text than the password itself; else 0. */
int saslprep_differs(stralloc *out, const char *password, enum saslprep_use use) MUST_CHECK;

#endif
