/* envelope: what MAIL and RCPT share. */
#ifndef SMTP_ENVELOPE_H
#define SMTP_ENVELOPE_H

#include "smtp/session.h"

/* The address of a MAIL or RCPT command: 1, or 0 when
 * refused (replied; syntax is the status code of a malformed one). */
int envelope_path(struct session *s, const char *arg, size_t n, const char *keyword, struct smtp_path *p,
                  const char *syntax, const char **rest, size_t *rest_n) MUST_CHECK;

/* The sender as the queue wants it, with a domain: 1, or 0 without memory. */
int envelope_complete_sender(struct session *s) MUST_CHECK;
/* The recipient that was judged and accepted joins those of the transaction, unless it is to be
 * dropped: 1, or 0 without memory. */
int envelope_add_recipient(struct session *s) MUST_CHECK;

#endif
