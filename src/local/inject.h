/* inject: complete the header of a message made on this host and queue it.  The engine
 * of qmail-inject and, through it, of sendmail. */
#ifndef LOCAL_INJECT_H
#define LOCAL_INJECT_H

#include "base/strerr.h"
#include "base/strlist.h"
#include "conf/conf.h"

enum inject_recipients {
  INJECT_EITHER,    /* -A: arguments if there are any, else the header */
  INJECT_ARGUMENTS, /* -a */
  INJECT_HEADER,    /* -h */
  INJECT_BOTH,      /* -H */
};

struct inject_job {
  enum inject_recipients recipients;
  struct strlist arguments; /* recipients of the command line */
  const char *sender;       /* -f; null: choose one */
  int dry;                  /* print the message instead of queueing it */
  int message;              /* descriptor */
};

/* 0 queued, or 100 or 111 with e filled. */
int inject_run(const struct inject_job *job, const struct conf *conf, struct strerr *e);

#endif
