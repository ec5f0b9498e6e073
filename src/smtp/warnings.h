/* warnings: X-Spam-Warning fields, which $WARNMAIL and $WARNMAIL1 to $WARNMAIL9 ask for. */
#ifndef SMTP_WARNINGS_H
#define SMTP_WARNINGS_H

#include "base/stralloc.h"
#include "conf/conf.h"

/* Append one for each that is set and not empty.  1, or 0 when memory ran out. */
int warnings_append(const struct conf *conf, stralloc *out) MUST_CHECK;

#endif
