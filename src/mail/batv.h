/* batv: tags by which a bounce shows that it is one of ours.  What we send goes out with a sender of
 *
 *   prvs=KDDDHHHHHH=user@domain
 *
 * and comes back to that address: K the kind, DDD the day it was signed, of a thousand, HHHHHH the
 * beginning of a digest over KDDD, the address and a secret.  Kind 1, which we write, is the HMAC-SHA256
 * of KDDD and the address in small letters; kind 0, the older one, the MD5 of KDDD, the address as it is
 * and the key, one behind the other.  Pure. */
#ifndef MAIL_BATV_H
#define MAIL_BATV_H

#include <stddef.h>
#include <stdint.h>

#include "base/stralloc.h"
#include "base/strlist.h"

enum batv_verdict {
  BATV_NONE,  /* there is no tag */
  BATV_GOOD,
  BATV_STALE, /* ours, and too old */
  BATV_BAD,
  BATV_NO_MEMORY,
};
/* Append the address with a tag; one that has one, of whomever, or no domain, stays as it is.  now in
 * seconds.  1, or 0 without memory. */
int batv_sign(stralloc *out, const char *address, size_t n, const char *key, int64_t now) MUST_CHECK;
/* Of an address with a tag that one of the keys has made.  plain gets the address without it unless there
 * is none.  Good for so many days, and from the day before it was made on, for clocks differ. */
enum batv_verdict batv_check(const char *address, size_t n, const struct strlist *keys, int64_t now, uint64_t days,
                             stralloc *plain) MUST_CHECK;

#endif
