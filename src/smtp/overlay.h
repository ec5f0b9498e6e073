/* overlay: rules of the administrator's that change settings for one message, by its sender
 * (from.envrules) or by who logged in (auth.envrules), and for the checks of one recipient
 * (rcpt.envrules).  They make an environment of the
 * transaction's own, for its settings and for the queue program; nothing of the process or of the
 * connection changes, and with the transaction it is gone. */
#ifndef SMTP_OVERLAY_H
#define SMTP_OVERLAY_H

#include "smtp/session.h"

/* What a client is told, with 451 4.3.5, where the settings that rules make are bad. */
#define OVERLAY_BAD_SENDER "this server is misconfigured for this sender, please try again later"
#define OVERLAY_BAD_RECIPIENT "this server is misconfigured for this recipient, please try again later"

/* A sender was given: 1 to go on, 0 when the settings the rules make are bad (logged). */
int overlay_begin(struct session *s) MUST_CHECK;
/* May the settings or variables of a message depend on its sender? */
int overlay_wants_sender(const struct session *s);
/* A recipient was given, and will be judged: the settings rcpt.envrules makes for him, until overlay_rcpt_end.
 * The same answers. */
int overlay_rcpt_begin(struct session *s) MUST_CHECK;
void overlay_rcpt_end(struct session *s);
/* Back to the settings of the connection.  Idempotent. */
void overlay_end(struct session *s);
/* Variables for the queue program. */
const struct env *overlay_env(const struct session *s);

#endif
