/* remote: one message to one host, for one or more recipients.  The engine of
 * qmail-remote. */
#ifndef SMTP_REMOTE_H
#define SMTP_REMOTE_H

#include "base/substdio.h"
#include "conf/conf.h"

struct remote_job {
  const char *host, *sender;
  char *const *recipient;
  size_t recipients;
  const char *extra; /* header lines before the message */
  int message;       /* descriptor, seekable */
};

/* Try the host's servers in turn and write the reports: for each recipient, in order,
 * r accepted, h refused, s refused for now, and then K, Z or D for the message; each
 * with text and NUL.  0, or -1 when the reports could not be written. */
int remote_deliver(const struct remote_job *job, const struct conf *conf, substdio *report) MUST_CHECK;

#endif
