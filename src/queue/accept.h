/* accept: what qmail-queue does with one message: read it, store it, commit it.
 * Also the code a resident acceptor runs. */
#ifndef QUEUE_ACCEPT_H
#define QUEUE_ACCEPT_H

#include <stdint.h>

struct accept_request {
  int message;      /* descriptor read to its end: the message */
  int envelope;     /* then this one: the envelope in its wire form */
  const char *host; /* our name for the Received field; null hides it */
  uint64_t uid;     /* who asks */
  uint64_t qp;      /* process id shown in Received and in logs */
};

/* In the current directory, a queue.  Gives the exit code of qmail-queue: QQ_queued
 * means the message is on disk and announced; anything else that nothing is left of
 * it.  *id is the message's id when queued.  Blocks until both inputs end. */
int accept_message(const struct accept_request *r, uint64_t *id);

#endif
