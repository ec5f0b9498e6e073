/* control_client: the other side of send/control: asks the qmail-send of the queue that is
 * the current directory, if one runs.  Blocks for CONTROL_WAIT seconds at most. */
#ifndef SEND_CONTROL_CLIENT_H
#define SEND_CONTROL_CLIENT_H

#include "base/strerr.h"
#include "send/control_proto.h"

#define CONTROL_WAIT 10
#define CONTROL_ASK_MAX 200 /* requests of one control_ask */

/* One record of the answer to the i-th request, ok and error records too: 0 to go on, or -1
 * with e filled. */
typedef int (*control_record_fn)(void *ctx, size_t i, const struct control_record *r, struct strerr *e);

/* Send n requests (lines) and hear all answers: 1, 0 when no qmail-send listens here, or -1 with
 * e filled. */
int control_ask(const stralloc *requests, size_t n, control_record_fn fn, void *ctx, struct strerr *e) MUST_CHECK;

/* Append a record as a JSON object, a member for each column: numbers, texts, null for an
 * empty text.  1, or 0 when memory ran out. */
int control_record_json(stralloc *out, const struct control_record *r) MUST_CHECK;

#endif
