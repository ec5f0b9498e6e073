/* notice: what a session has to tell somebody by mail.  What cannot be queued is logged.  May wait. */
#ifndef SMTP_NOTICE_H
#define SMTP_NOTICE_H

#include "smtp/session.h"

/* To sendlimit_notify: who has logged in has reached a limit. */
void notice_messages(const struct session *s);
void notice_recipients(const struct session *s);
/* To the recipients of the message: it was too large. */
void notice_too_large(const struct session *s);
/* To the sender of a message that is queued, where the program that has it tells of nothing: whichever
 * recipients he wanted to hear of in case of success have been passed on to it (RFC 3461 5.2.2). */
void notice_relayed(const struct session *s);

#endif
