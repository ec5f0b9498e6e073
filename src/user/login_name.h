/* login_name: who is meant by the name of a login, in whatever script it was typed: prepared by SASLprep
 * (RFC 4013, as RFC 4616 and RFC 5802 want it), so that a wide letter is a narrow one, and with the domain
 * as the DNS and the user database have it (RFC 5891).
 *
 * What is ASCII stays as it is. For other names libidn and libidn2 are loaded, when the first one comes;
 * where they are not installed such a name is nobody's.  Not for static programs. */
#ifndef USER_LOGIN_NAME_H
#define USER_LOGIN_NAME_H

#include "base/stralloc.h"

/* In place of what was in out: 1; 0 when it can be nobody's name; -1 without memory. */
int login_name_prepare(stralloc *out, const char *s, size_t n) MUST_CHECK;

#endif
