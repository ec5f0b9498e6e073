/* digest_message: the client's answer of DIGEST-MD5 (RFC 2831 section 2.1.2), a list of
 * name=value, where a value may be quoted. */
#ifndef CRYPT_DIGEST_MESSAGE_H
#define CRYPT_DIGEST_MESSAGE_H

#include "base/stralloc.h"

enum digest_field {
  DIGEST_USERNAME,
  DIGEST_REALM,
  DIGEST_NONCE,
  DIGEST_CNONCE,
  DIGEST_NC,
  DIGEST_QOP,
  DIGEST_URI,
  DIGEST_RESPONSE,
  DIGEST_CHARSET,
  DIGEST_AUTHZID,
  DIGEST_FIELDS
};

struct digest_message {
  stralloc field[DIGEST_FIELDS]; /* unquoted */
  unsigned seen;                 /* bit 1 << field: it was there, if only empty */
};

/* Fills a zeroed message: 1; 0 when it is none (a field twice, a name alone, a byte that has
 * no place there); -1 memory.  Names it does not know are left out.  digest_free in any case. */
int digest_parse(const char *s, size_t n, struct digest_message *m) MUST_CHECK;
/* All but username and response as a list again, in one order, names and quotes as the
 * standard has them, appended: 1 or 0 (memory). */
int digest_list(stralloc *out, const struct digest_message *m) MUST_CHECK;
void digest_free(struct digest_message *m);

#endif
