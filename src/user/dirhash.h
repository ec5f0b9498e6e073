/* dirhash: where a new user's directory goes, so that no directory holds more than a
 * set number of users.  The classic layout, in closed form:
 *
 *   home = BASE / bucket / domain / hashdir / user
 *
 * bucket by the first character of the name: A2E F2K L2P Q2S T2Zsym.  hashdir by n,
 * the how-manieth user of its bucket and domain this is (from 1): with b = n /
 * per_level and 62 letters 0-9A-Za-z, b = 0 is no directory, then come 62 of one
 * letter, 62^2 of two, 62^3 of three; then those of three begin again.
 *
 * A user whose name is one letter of the 62 gets the directory "x," so that it never
 * meets a hash directory (a comma is in no user name). */
#ifndef USER_DIRHASH_H
#define USER_DIRHASH_H

#include <stdint.h>

#include "base/stralloc.h"

#define DIRHASH_DEPTH 3 /* letters */
#define DIRHASH_SIZE 6 /* "z/z/z" and a NUL */

#define DIRHASH_BUCKETS 5
extern const char *const dirhash_buckets[DIRHASH_BUCKETS];
const char *dirhash_bucket(const char *user);
/* The hashdir of number n: "", "x", "x/y" or "x/y/z".  per_level 0 counts as 1. */
void dirhash_dir(uint64_t n, uint64_t per_level, char dir[DIRHASH_SIZE]);
/* The how-manieth directory this is: the inverse, for n = directory * per_level.  1, or 0 for anything
 * that is no hashdir. */
int dirhash_number(const char *dir, uint64_t *directory);
/* 1, or 0 when memory ran out. */
int dirhash_home(stralloc *home, const char *base, const char *domain, const char *user, uint64_t n,
                 uint64_t per_level) MUST_CHECK;

#endif
