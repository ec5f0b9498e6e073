/* envelope: what MAIL and RCPT share, with each other and with QMTP. */
#ifndef SMTP_ENVELOPE_H
#define SMTP_ENVELOPE_H

#include "smtp/session.h"

/* The address of a MAIL or RCPT command: 1, or 0 when
 * refused (replied; syntax is the status code of a malformed one). */
int envelope_path(struct session *s, const char *arg, size_t n, const char *keyword, struct smtp_path *p,
                  const char *syntax, const char **rest, size_t *rest_n) MUST_CHECK;

/* The sender as the queue wants it, with a domain: 1, or 0 without memory. */
int envelope_complete_sender(struct session *s) MUST_CHECK;
/* user@[our address] is somebody here: 1, or 0 without memory. */
int envelope_name_ourselves(const struct session *s, struct smtp_path *p) MUST_CHECK;
/* The recipient that was judged and accepted joins those of the transaction, unless it is to be
 * dropped: 1, or 0 without memory. */
int envelope_add_recipient(struct session *s) MUST_CHECK;
/* The same address once the parameters are known: UTF-8 only where SMTPUTF8 allows it, and a domain
 * that is not ASCII as its A-labels.  1, or 0 when refused (replied). */
int envelope_international(struct session *s, struct smtp_path *p, const char *syntax) MUST_CHECK;
/* The message gets one more parameter, in the form of mail/dsn.h, beside those it has: 1, or 0 when
 * it makes no sense (replied: want). */
int envelope_ask(struct session *s, const char *text, size_t n, const char *want) MUST_CHECK;
/* A parameter makes no sense: replied, 0. */
int envelope_bad(struct session *s, const char *want);

#endif
