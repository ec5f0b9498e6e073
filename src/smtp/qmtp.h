/* qmtp: the server's side of the Quick Mail Transfer Protocol (port 209).
 *
 * The client sends packets, each the netstrings of a message, its sender, and a netstring of
 * recipients' netstrings; the message begins with LF or CR, which says how its lines end.
 * For each recipient, in their order, it gets a netstring that begins with K (queued), Z (try
 * again) or D (refused).  It may send packets without waiting.  The checks are those of
 * SMTP (smtp/checks.def), but for those of a greeting, which there is none of. */
#ifndef SMTP_QMTP_H
#define SMTP_QMTP_H

#include "smtp/session.h"

/* Serve until the client ends, an hour at most: 0; 1 when it broke off, ran out of time or does
 * not speak QMTP (logged). */
int qmtp_run(struct session *s);

#endif
