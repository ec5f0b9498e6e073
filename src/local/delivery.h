/* delivery: carries out the instructions for one local recipient.  The engine of
 * qmail-local. */
#ifndef LOCAL_DELIVERY_H
#define LOCAL_DELIVERY_H

#include "base/env.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "user/lookup.h"

struct delivery_job {
  const char *user, *home, *local, *dash, *ext, *host, *sender, *defaultdelivery;
  const char *extra; /* header lines that go before the message (QQEH) */
  const char *messid; /* of the message, or "" */
  const char *dsn, *notify; /* what the sender asked (mail/dsn.h) of the message, of this recipient; or "" */
  int message;       /* descriptor, seekable */
  int dry;           /* say what would be done, on fd 1 */
  struct lookup *lookup; /* connection to inlookup, kept between deliveries */
};

/* 0 done, 99 is handled inside, 100 bounce, 111 try again; on failure e says why.
 * Text for the log goes to fd 1.  Works in the home directory. */
int delivery_run(const struct delivery_job *job, const struct conf *conf, struct strerr *e);

#endif
