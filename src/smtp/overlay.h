/* overlay: rules of the administrator's that change settings for one message, by its sender
 * (from.envrules) or by who logged in (auth.envrules), and for the checks of one recipient
 * (rcpt.envrules).  They make an environment of the
 * transaction's own, for its settings and for the queue program; nothing of the process or of the
 * connection changes, and with the transaction it is gone. */
#ifndef SMTP_OVERLAY_H
#define SMTP_OVERLAY_H

#include "smtp/session.h"

/* A sender was given: 1 to go on, 0 when the settings the rules make are bad (replied and
 * logged). */
int overlay_begin(struct session *s) MUST_CHECK;
/* A recipient was given, and will be judged: the settings rcpt.envrules makes for him, until overlay_rcpt_end.
 * The same answers. */
int overlay_rcpt_begin(struct session *s) MUST_CHECK;
void overlay_rcpt_end(struct session *s);
/* Back to the settings of the connection.  Idempotent. */
void overlay_end(struct session *s);
/* Variables for the queue program. */
const struct env *overlay_env(const struct session *s);

#endif
