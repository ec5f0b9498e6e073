/* tls: turns the session's descriptors into those of an encrypted connection. */
#ifndef SMTP_TLS_H
#define SMTP_TLS_H

#include "smtp/session.h"

/* Do the handshake.  0; -1 when it failed: logged, and the session is over.  What
 * was read before is gone, and the client has to greet again. */
int tls_session(struct session *s) MUST_CHECK;

#endif
