/* digest: of a text, as hexadecimal digits. */
#ifndef CRYPT_DIGEST_H
#define CRYPT_DIGEST_H

#include "base/stralloc.h"

/* Append the SHA-256 of n bytes, 64 lower-case digits: 1, or 0 (no memory). */
int digest_sha256_hex(const char *s, size_t n, stralloc *out) MUST_CHECK;

#endif
