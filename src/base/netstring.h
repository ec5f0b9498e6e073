/* netstring: LENGTH:BYTES, with the length in decimal without leading zeros (Bernstein,
 * "Netstrings", 1997).  From memory as a whole, or head and tail from a stream, for
 * content that is to pass by. */
#ifndef BASE_NETSTRING_H
#define BASE_NETSTRING_H

#include <stddef.h>
#include <stdint.h>

#include "base/stralloc.h"
#include "base/substdio.h"

/* The netstring at the start of s: the bytes it takes in all, its content in *content
 * (borrowed) and *len; 0 when more is needed; -1 when it is none, or takes more than max. */
long netstring_parse(const char *s, size_t n, size_t max, const char **content, size_t *len);

/* LENGTH: of a netstring whose content and comma take no more than *left, from which what was
 * read is taken off; UINT64_MAX: no limit.  1, 0 at the end of input before its first byte,
 * -1 with errno: EPROTO none, EMSGSIZE too long, others of the input. */
int netstring_head(substdio *in, uint64_t *left, uint64_t *len) MUST_CHECK;
/* The comma: 0, or -1 with errno as above. */
int netstring_tail(substdio *in, uint64_t *left) MUST_CHECK;
/* A whole one of at most max bytes, its content into *out: as netstring_head; ENOMEM. */
int netstring_get(substdio *in, uint64_t *left, size_t max, stralloc *out) MUST_CHECK;

/* Appended: 1, or 0 without memory. */
int netstring_cat(stralloc *out, const char *s, size_t n) MUST_CHECK;

#endif
