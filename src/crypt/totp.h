/* totp: codes that change with the time (RFC 6238, with HMAC-SHA-1, as programs on phones make them), made of a
 * secret both sides know.  Pure but for totp_make: the time is an argument. */
#ifndef CRYPT_TOTP_H
#define CRYPT_TOTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"

#define TOTP_DIGITS 6
#define TOTP_PERIOD 30 /* seconds a code is shown */
#define TOTP_SECRET 20 /* bytes of those made here */
#define TOTP_SECRET_MAX 64

/* A new secret in base32, without padding: 0, or -1 with e filled. */
int totp_make(stralloc *secret, struct strerr *e) MUST_CHECK;
/* The code of this many digits (6 to 8) for a step, the time by TOTP_PERIOD, with its NUL: 1, or 0 when the
 * secret is none or memory ran out. */
int totp_code(const char *secret, uint64_t step, unsigned digits, char *code) MUST_CHECK;
/* Is it the code of now, of the step before or the next, for clocks that differ, and of one after last?  1 with
 * *step filled; 0; -1 the secret is none, or memory ran out.  Takes the same time whichever it is, if any. */
int totp_check(const char *secret, const char *code, size_t n, int64_t now, int64_t last, int64_t *step) MUST_CHECK;
/* The address by which a program on a phone takes the secret over, often as a picture: otpauth://totp/...  It
 * holds the secret.  1, or 0 (memory). */
int totp_uri(const char *secret, const char *issuer, const char *account, stralloc *uri) MUST_CHECK;

#endif
