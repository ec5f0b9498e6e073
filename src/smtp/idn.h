/* idn: international names of domains, as the DNS and older servers know them. */
#ifndef SMTP_IDN_H
#define SMTP_IDN_H

#include "base/now.h"
#include "base/stralloc.h"
#include "base/strerr.h"

enum idn { IDN_OK, IDN_NO_NAME, IDN_TEMPFAIL };
/* Replaces out by the form in ASCII of a name in UTF-8, asking qmail-idn(8): IDN_NO_NAME when it
 * is no name, IDN_TEMPFAIL with e filled.  Waits until then at most. */
enum idn idn_ascii(const char *name, size_t n, stralloc *out, deadline until, struct strerr *e) MUST_CHECK;

#endif
