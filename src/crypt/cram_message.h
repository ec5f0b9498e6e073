/* cram_message: what a client answers to the challenge of CRAM-MD5 (RFC 2195) and its kin: a name, one
 * blank, a digest in small hexadecimal digits.  Pure. */
#ifndef CRYPT_CRAM_MESSAGE_H
#define CRYPT_CRAM_MESSAGE_H

#include <stddef.h>

/* method: as programs that check passwords are told it, 3 to 9.  1 with the length of the name, which is not
 * empty and may hold blanks; the digest, as long as that method's are, is what stands behind the blank
 * there.  0 when it is no such answer. */
int cram_split(const char *s, size_t n, unsigned char method, size_t *name);

#endif
