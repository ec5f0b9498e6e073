/* bounce: what the sender is told when a recipient failed for good (QSBMF), and the
 * double bounce for the postmaster.  A bounce of a double bounce is dropped, so a
 * bounce never loops. */
#ifndef SEND_BOUNCE_H
#define SEND_BOUNCE_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "send/message.h"

/* The paragraph for one recipient, as it is appended to bounce/ID. */
int bounce_paragraph(stralloc *out, const char *recipient, const char *report) MUST_CHECK;

enum bounce_outcome {
  BOUNCE_SENT,      /* queued; *qp says under which process */
  BOUNCE_NOTHING,   /* nothing failed */
  BOUNCE_DISCARDED, /* a triple bounce, or double bounces are discarded */
  BOUNCE_LATER,     /* try again; e says why */
};
/* Send the bounce of a message whose last recipient is done, from bounce/ID and the
 * message itself, in the current queue.  Blocks until it is queued. */
enum bounce_outcome bounce_send(const struct conf *conf, const struct message *m, uint64_t *qp,
                                struct strerr *e);

#endif
