/* address: addresses in header fields (RFC 5322 3.4), with what older mail writes:
 * addresses without a host, lists without commas, source routes.  Pure. */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stddef.h>

#include "base/stralloc.h"
#include "base/strlist.h"

/* One address found in a field: where its addr-spec stands, and its two halves as
 * written (quotes and all).  Without a host, hostn is 0 and host null. */
struct address {
  size_t start, end;
  const char *local, *host;
  size_t localn, hostn;
};

/* Called for each address in turn; nonzero stops. */
typedef int (*address_fn)(void *ctx, const struct address *a);
/* Walk the addresses of a field body (after the colon; folds included).  0, what fn
 * gave, or -1 when the text cannot be addresses (a quote or comment without end). */
int address_walk(const char *s, size_t n, address_fn fn, void *ctx);

/* How hosts are completed. */
struct address_defaults {
  const char *host;   /* for an address without one */
  const char *domain; /* added to a host without a dot */
  const char *plus;   /* replaces a plus at the host's end */
};

/* Copy a field body to out with each address completed; add each address, in the
 * form of an envelope (quotes removed), to list (may be null).  1 done, 0 no memory,
 * -1 not addresses. */
int address_rewrite(const char *s, size_t n, const struct address_defaults *d, stralloc *out,
                    struct strlist *list) MUST_CHECK;
/* Append an envelope address in the form of a header or a command: the local part
 * quoted where needed, line ends and NULs as _.  1 or 0. */
int address_quote(const char *s, size_t n, stralloc *out) MUST_CHECK;

#endif
