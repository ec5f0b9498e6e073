/* bounce: what the sender is told when a recipient failed for good, the double
 * bounce for the postmaster, and notices of success and delay for those who asked.  A bounce of a double bounce is dropped, so a bounce never
 * loops.  The text about the failures is in bounce/ID (bounce_text.h), what is sent around
 * it in bounce_format.h. */
#ifndef SEND_BOUNCE_H
#define SEND_BOUNCE_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "send/bounce_format.h"
#include "send/message.h"

/* May there be something to tell the sender of a message whose last recipient is done?  1 or 0. */
int bounce_needed(const struct message *m);

enum bounce_outcome {
  BOUNCE_SENT,      /* queued; *qp says under which process */
  BOUNCE_NOTHING,   /* nothing failed */
  BOUNCE_DISCARDED, /* a triple bounce, or double bounces are discarded */
  BOUNCE_DROPPED,   /* $BOUNCEPROCESSOR did not want it */
  BOUNCE_LATER,     /* try again; e says why */
};
/* Send the bounce of a message whose last recipient is done, from bounce/ID and the
 * message itself, in the current queue.  Waits (base/wait.h) for $BOUNCEPROCESSOR; conf and m
 * stay as they are meanwhile.  Then blocks, in a task too, until it is queued. */
enum bounce_outcome bounce_send(const struct conf *conf, const struct message *m, uint64_t *qp,
                                struct strerr *e);
/* Send a notice of another kind to the sender, who is somebody.  text: as in bounce/ID.  0 when
 * queued, -1 with e.  Blocks until then. */
int bounce_notice(const struct conf *conf, const struct message *m, enum bounce_kind kind, const stralloc *text, uint64_t *qp,
                  struct strerr *e) MUST_CHECK;

#endif
