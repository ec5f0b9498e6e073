/* qmqp_client: hands one message to a QMQP server. */
#ifndef SMTP_QMQP_CLIENT_H
#define SMTP_QMQP_CLIENT_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "net/ip.h"
#include "queue/envelope.h"

/* IP, IP:PORT or [IP]:PORT; port stays where none is named.  1, or 0 when it is none of these. */
int qmqp_server_scan(const char *s, size_t n, struct ip *ip, uint16_t *port);

/* Tries the servers in turn, as far as connecting to them; the first that takes the connection
 * decides, for it may have queued the message.  An exit code of qmail-queue (exitcodes.def):
 * QQ_queued, QQ_refused or QQ_deferred as the server says, with its words in *text; or why
 * there was no answer, with e filled.  Blocks for timeoutconnect, then timeoutremote. */
int qmqp_send(const struct strlist *servers, const struct conf *conf, const stralloc *message, const struct envelope *env,
              stralloc *text, struct strerr *e) MUST_CHECK;

#endif
