/* mailbox_rules: what the administrator wants of deliveries to mailboxes, in variables of the delivery:
 * OVERQUOTA_MAILSIZE, HOLDOVERQUOTA, MAILCOUNT_LIMIT, MAILSIZE_LIMIT, QUOTAWARN1 to QUOTAWARN10, and the
 * program of OVERQUOTA_CMD that is told what comes of it. */
#ifndef USER_MAILBOX_RULES_H
#define USER_MAILBOX_RULES_H

#include "base/env.h"
#include "base/strerr.h"
#include "user/delivery_count.h"
#include "user/maildirsize.h"

/* The mailbox, and the message that is to go there. */
struct mailbox {
  const struct env *env; /* null: our own */
  const char *address, *maildir;
  const struct quota *quota;
  uint64_t size; /* of the message with what is put before it */
};

/* A variable of the delivery, "" when it is not set. */
const char *mailbox_variable(const struct env *env, const char *name);

/* Over quota: may the message go in all the same, because it is small? */
int mailbox_takes_small(const struct mailbox *m);
/* Over quota: is it to wait, because the file of HOLDOVERQUOTA is there? */
int mailbox_holds(const struct mailbox *m);
/* Tell the program: that it does not fit. */
void mailbox_tell_full(const struct mailbox *m, const struct usage *u);

/* Daily limits.  1 there is room (d is open where there are limits), 0 there is none (the program was told),
 * -1 with e filled. */
int mailbox_day(const struct mailbox *m, struct delivery_count *d, struct strerr *e) MUST_CHECK;
/* After a delivery, to a mailbox whose usage was u before: the program is told, once a week, that it fills. */
void mailbox_warn(const struct mailbox *m, const struct usage *u);

#endif
