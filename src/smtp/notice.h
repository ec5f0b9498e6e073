/* notice: what a session has to tell the administrator, as a mail. */
#ifndef SMTP_NOTICE_H
#define SMTP_NOTICE_H

#include "smtp/session.h"

/* To sendlimit_notify: this account has reached this limit.  What cannot be queued is logged.  May wait. */
void notice_sendlimit(const struct session *s, const char *limit);

#endif
