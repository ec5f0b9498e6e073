/* scram: what a server keeps of a password for SCRAM (RFC 5802, RFC 7677), and how a
 * client's proof is checked against it.  The keys do not give the password back, but a
 * guess can be tried on them: they stay in the process that has the user database open.
 *
 * A user's credentials are text, one word for each mechanism:
 *   {SCRAM-SHA-256}iterations,salt,StoredKey,ServerKey
 * the last three in base64. */
#ifndef CRYPT_SCRAM_H
#define CRYPT_SCRAM_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"

#define SCRAM_KEY_MAX 64
#define SCRAM_SALT 16     /* bytes of those we make */
#define SCRAM_SALT_MAX 64 /* of those we read */
#define SCRAM_ITERATIONS_MIN 4096
#define SCRAM_ITERATIONS_MAX 10000000

enum scram_hash { SCRAM_SHA1, SCRAM_SHA256, SCRAM_SHA512, SCRAM_HASHES };

struct scram_keys {
  enum scram_hash hash;
  uint64_t iterations;
  size_t salt_n;
  unsigned char salt[SCRAM_SALT_MAX];
  unsigned char stored[SCRAM_KEY_MAX], server[SCRAM_KEY_MAX];
};

/* By the mechanism's name without -PLUS, "SCRAM-SHA-256": 1 or 0. */
int scram_hash_find(const char *name, size_t n, enum scram_hash *hash);
/* Keys of a password; hash, iterations and salt are given.  0, or -1 with e filled. */
int scram_derive(struct scram_keys *k, const char *password, size_t n, struct strerr *e) MUST_CHECK;
/* Are these names of mechanisms (separated by blanks) and a number of iterations we make
 * credentials with?  0, or -1 with e filled, permanent. */
int scram_settings_ok(const char *mechanisms, uint64_t iterations, struct strerr *e) MUST_CHECK;
/* The credentials of a password for the mechanisms named, with fresh salts, into out:
 * "" for a password that cannot be prepared (crypt/saslprep_unicode.h), which then serves other mechanisms only.  0, or
 * -1 with e filled (permanent: the settings are not ok). */
int scram_credentials(const char *mechanisms, uint64_t iterations, const char *password, stralloc *out,
                      struct strerr *e) MUST_CHECK;
/* One mechanism of credentials: 1; 0 when they have it not, or not well formed; -1 memory. */
int scram_find(const char *credentials, enum scram_hash hash, struct scram_keys *k);
/* Does the proof (base64) fit what was signed?  1, with the server's signature in base64
 * appended; 0; -1 with e filled.  Takes the same time wherever a wrong proof differs. */
int scram_check(const struct scram_keys *k, const char *signed_text, size_t n, const char *proof, size_t proof_n,
                stralloc *signature, struct strerr *e) MUST_CHECK;
/* Keys for a name that has none: always the same salt for it, and what no proof fits. */
int scram_fake(struct scram_keys *k, const char *secret, size_t secret_n, const char *name, size_t name_n,
               struct strerr *e) MUST_CHECK;

#endif
