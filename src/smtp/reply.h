/* reply: what the server says.  Every reply but the greeting, 3xx and the answers to
 * HELO and EHLO carries an enhanced status code (RFC 2034). */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include "smtp/session.h"

/* "CODE ENHANCED text"; enhanced may be null. */
void reply(struct session *s, unsigned code, const char *enhanced, const char *text);
/* One line of several; last ends the reply. */
void reply_line(struct session *s, unsigned code, const char *enhanced, int last, const char *text);
/* Give bytes to the client as they are. */
void reply_flush(struct session *s);
/* A command that makes no sense or comes at the wrong time: replied, logged, and
 * counted; too many end the session. */
void reply_refuse(struct session *s, unsigned code, const char *enhanced, const char *text);
/* 421 and the end. */
void reply_close(struct session *s, const char *enhanced, const char *text);

#endif
