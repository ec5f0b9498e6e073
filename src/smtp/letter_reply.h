/* letter_reply: how QMTP and QMQP say what SMTP says by its codes: K accepted, Z not now, D no; then the text, and
 * of a refusal the status code in the form (#5.7.1). */
#ifndef SMTP_LETTER_REPLY_H
#define SMTP_LETTER_REPLY_H

#include "base/stralloc.h"

/* Appended: 1, or 0 without memory.  code is 200 to 599. */
int letter_reply(stralloc *out, unsigned code, const char *enhanced, const char *text) MUST_CHECK;

#endif
