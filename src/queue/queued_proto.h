/* queued_proto: what an injector and qmail-queued say over RUN/queue/socket, a Unix
 * stream socket.  One message per connection.
 *   request: "Q1 HIDE MINFREE DIRLEN MESSAGELEN ENVELOPELEN\n", then the queue's
 *            directory (empty: the daemon chooses), the message, and the envelope in its
 *            wire form
 *   answer:  "CODE ID\n", CODE as in exitcodes.def */
#ifndef QUEUE_QUEUED_PROTO_H
#define QUEUE_QUEUED_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/stralloc.h"

#define QUEUED_SOCKET "queue/socket" /* below PATH_RUN */
#define QUEUED_MESSAGE_MAX 65536     /* longer messages go to qmail-queue */
#define QUEUED_ENVELOPE_MAX 262144
#define QUEUED_DIR_MAX 1024
#define QUEUED_HEAD_MAX 100

struct queued_head {
  uint64_t hide, min_free, dir, message, envelope;
};

int queued_head_format(stralloc *out, const struct queued_head *h) MUST_CHECK;
/* The line without its LF: 1, or 0 when it is malformed or a length is too large. */
int queued_head_parse(const char *s, size_t n, struct queued_head *h);
int queued_answer_format(stralloc *out, int code, uint64_t id) MUST_CHECK;
int queued_answer_parse(const char *s, size_t n, int *code, uint64_t *id);

#endif
