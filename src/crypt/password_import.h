/* password_import: passwords as other mail servers store them, {SCHEME} and a text (Dovecot and
 * those that followed it; RFC 2307): they serve until their user logs in, when a hash of ours
 * takes their place.  None of these is made here. */
#ifndef CRYPT_PASSWORD_IMPORT_H
#define CRYPT_PASSWORD_IMPORT_H

#include "base/strerr.h"

/* Is this text such a password, of a scheme we know and well formed? */
int password_is_imported(const char *stored);
/* Is it a whole hash of crypt(3) of a method that is made no more, DES or MD5? */
int password_is_old_hash(const char *stored);
/* 1 right; 0 wrong, or not well formed; -1 with e filled. */
int password_import_verify(const char *password, const char *stored, struct strerr *e) MUST_CHECK;

#endif
