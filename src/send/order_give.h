/* order_give: carry out orders on the queue that is the current directory: by its qmail-send,
 * or, where none runs, on the disk, with lock/sendmutex held so that none starts meanwhile.
 *
 * A removed message is kept in trash/ of the queue if that directory is there: trash/ID is
 * the message, trash/ID.info its envelope.  On the disk the same order of removals as
 * qmail-clean's, info first, so that a crash leaves a state of states.def; and only what was
 * accepted is removed. */
#ifndef SEND_ORDER_GIVE_H
#define SEND_ORDER_GIVE_H

#include "base/strerr.h"
#include "send/control_proto.h"

/* What became of the i-th order: n messages or destinations were meant, or error (null: none)
 * says why not.  0 to go on, or -1 with e filled. */
typedef int (*order_result_fn)(void *ctx, size_t i, uint64_t n, const char *error, struct strerr *e);

/* 0, or -1 with e filled when nobody could be asked. */
int order_give(const struct control_request *orders, size_t n, order_result_fn fn, void *ctx, struct strerr *e) MUST_CHECK;

#endif
