/* name: which user names and domains there may be, and taking addresses apart.  A
 * name that passes here is safe as one component of a path and as a key. */
#ifndef USER_NAME_H
#define USER_NAME_H

#include <stddef.h>

#include "base/stralloc.h"

#define NAME_USER_MAX 64    /* RFC 5321 4.5.3.1.1 */
#define NAME_DOMAIN_MAX 253 /* RFC 1035, as text */

/* Null when s may be the name of a new user, else why not.  Allowed are lower-case
 * letters, digits and !#$%&'*+-=?^_`{|}~. (RFC 5322 atoms without the slash); the
 * first is a letter or digit; no dot at the end, no two in a row. */
const char *name_user_fault(const char *s, size_t n);
/* The same for a new domain: lower-case labels of letters, digits and hyphens. */
const char *name_domain_fault(const char *s, size_t n);

struct address {
  stralloc user, domain;
};
/* user@domain, split at the last @ and lower-cased, a pair of quotes around a user
 * without special bytes removed: 1, 0 if there is no such form (an empty part, a NUL,
 * longer than 64 + 1 + 253), -1 when memory ran out.  What the parts hold is not
 * judged: asking for an odd name is no error. */
int address_parse(struct address *a, const char *s, size_t n) MUST_CHECK;
void address_free(struct address *a);

#endif
