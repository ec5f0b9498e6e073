/* notice: what the sender asked to be told while a message is delivered (RFC 3461): a
 * recipient's success, or that it takes long.  Failures are bounce/ID's.  Pure but for what
 * its arguments say. */
#ifndef SEND_NOTICE_H
#define SEND_NOTICE_H

#include "send/bounce_text.h"
#include "send/message.h"

/* Is this to be told of the recipient?  what is DSN_SUCCESS or DSN_DELAY.  Never to nobody:
 * the sender of a bounce. */
int notice_wanted(const struct message *m, const struct recipient *r, unsigned what);
/* The sender set a time for it, to be told then, and it has come.  now and the message's times in
 * seconds, of one clock. */
int notice_by(const struct message *m, const struct recipient *r, int64_t now);
/* The sender wants to hear of each server that passes the message on (BY with T, RFC 2852). */
int notice_traced(const struct message *m, const struct recipient *r);
/* What a success was, from the report of qmail-local or qmail-remote: 1, or 0 when the server that
 * has the message now tells of it. */
int notice_success(enum channel channel, const char *report, enum bounce_action *action);
/* Is a delivery that was put off late now?  after: seconds; 0: never.  Times in seconds, of one clock. */
int notice_is_late(int64_t birth, int64_t now, uint64_t after);

#endif
