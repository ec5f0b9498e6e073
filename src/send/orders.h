/* orders: what an administrator has ordered about mail in a queue and what stays so after a
 * restart: messages, domains and senders that are held, messages that have expired.
 *
 * send/orders of the queue has them as lines of send/control_proto.h, the later ones win.
 * It belongs to the one who has lock/sendmutex: qmail-send, or a tool while that does not
 * run.  Lines are appended and synced; a crash can leave half a line at the end, which is
 * ignored.  It is written anew, without what no longer matters, when it is loaded and when it
 * has grown. */
#ifndef SEND_ORDERS_H
#define SEND_ORDERS_H

#include "base/strerr.h"
#include "queue/queuepath.h"
#include "send/control_proto.h"
#include "send/idset.h"

#define ORDERS_FILE QUEUE_ORDERS
#define ORDERS_IDS_MAX 1000000U
#define ORDERS_NAMES_MAX 1000U /* held domains, and held senders */

struct orders {
  struct idset held, expired;
  struct strlist domains, senders;
  stralloc unsaved;
  size_t lines; /* in the file */
};

/* Read the file of the queue that is the current directory (none: no orders), and forget
 * orders about messages that are gone: 0, or -1 with e filled.  What makes no sense is
 * left out, and counted in *strange. */
int orders_load(struct orders *o, size_t *strange, struct strerr *e) MUST_CHECK;
/* Note an order: hold, release or expire, by anything but ALL.  It is in memory at once
 * and on disk after orders_save. */
enum orders_outcome { ORDERS_NOTED, ORDERS_SAME, ORDERS_FULL, ORDERS_NOMEM };
enum orders_outcome orders_note(struct orders *o, const struct control_request *r) MUST_CHECK;
/* Nothing is held any more: 1, or 0 when memory ran out. */
int orders_release_all(struct orders *o) MUST_CHECK;
/* 0 or -1 with errno; then what was noted since the last time is in memory alone. */
int orders_save(struct orders *o) MUST_CHECK;
/* The message is gone. */
void orders_forget(struct orders *o, uint64_t id);

int orders_holds_sender(const struct orders *o, const char *sender);
void orders_free(struct orders *o);

#endif
