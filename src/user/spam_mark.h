/* spam_mark: does the header of a message say that a filter held it for spam?  X-Bogosity: Yes or Spam, X-Spam-Flag: YES,
 * X-Spam-Status: Yes, X-Spam: Yes, as bogofilter, SpamAssassin, rspamd and others write them. */
#ifndef USER_SPAM_MARK_H
#define USER_SPAM_MARK_H

#include <stddef.h>

#include "base/strerr.h"

/* One field with its folds. */
int spam_mark_field(const char *s, size_t n);
/* The message in fd, read from its start; where the descriptor stands then is not said.  1, 0, or -1 with e filled. */
int spam_mark_find(int fd, struct strerr *e) MUST_CHECK;

#endif
