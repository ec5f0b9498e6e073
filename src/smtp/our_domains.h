/* our_domains: which domains mail is accepted for: rcpthosts and morercpthosts.cdb. */
#ifndef SMTP_OUR_DOMAINS_H
#define SMTP_OUR_DOMAINS_H

#include <stddef.h>

#include "conf/conf.h"

/* Is the domain one of ours?  1, 0, or -1 when morercpthosts.cdb cannot be read.  An address
 * without a domain (n 0) is this host's own. */
int our_domains_has(const struct conf *conf, const char *domain, size_t n) MUST_CHECK;

#endif
