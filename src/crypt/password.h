/* password: hashing passwords and comparing them, through libcrypt (crypt(5)).
 * No static state; working memory is wiped; comparison takes the same time wherever
 * the difference is. */
#ifndef CRYPT_PASSWORD_H
#define CRYPT_PASSWORD_H

#include "base/stralloc.h"
#include "base/strerr.h"

/* Longest password taken: more would only feed the hash for longer. */
#define PASSWORD_MAX 255

enum password_scheme {
  PASSWORD_YESCRYPT,
  PASSWORD_SHA512,
  PASSWORD_SHA256,
  PASSWORD_BCRYPT,
  PASSWORD_SCHEMES
};

/* By name ("YESCRYPT", "SHA-512", case aside) or by the number PASSWORD_HASH has
 * always used (2 SHA-256, 3 SHA-512, 4 yescrypt): 1, or 0 for anything else, DES and
 * MD5 included. */
int password_scheme_find(const char *name, enum password_scheme *scheme);
/* Name of the scheme of a stored hash; "unknown" for text that is none of ours. */
const char *password_scheme_name(const char *hash);
/* Hash with a fresh salt, of the prepared form (crypt/saslprep_unicode.h) where there is one: 0, or -1 with e filled (e->permanent when the password
 * itself is refused: empty, too long for the scheme). */
int password_hash(enum password_scheme scheme, const char *password, stralloc *hash,
                  struct strerr *e) MUST_CHECK;
/* 1 right; 0 wrong, or a stored text that is no hash; -1 with e filled when memory
 * ran out.  Any method of libcrypt is verified, and those of crypt/password_import.h, so that
 * imported hashes serve until they are replaced.  The password may be as it was when it was hashed, or
 * anything with the same prepared form. */
int password_verify(const char *password, const char *hash, struct strerr *e) MUST_CHECK;
/* Would a new hash of this scheme be harder to guess than the stored text? */
int password_is_weaker(const char *stored, enum password_scheme than);
/* Spend the time of a verification whose outcome is known: so that an unknown user
 * answers no sooner than a known one. */
void password_waste(const char *password);
/* May this text be stored as a new hash: of one of the schemes above? */
int password_is_hash(const char *text);
/* A random password of n letters and digits, n at most PASSWORD_MAX. */
int password_random(size_t n, stralloc *password, struct strerr *e) MUST_CHECK;

#endif
