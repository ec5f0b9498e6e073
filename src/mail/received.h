/* received: the trace field an SMTP server puts before a message (RFC 5321 4.4). */
#ifndef MAIL_RECEIVED_H
#define MAIL_RECEIVED_H

#include <stdint.h>

#include "base/stralloc.h"

/* Null or empty: left out. */
struct received {
  const char *remote_host, *remote_ip, *remote_info;
  const char *helo;  /* shown when it differs from remote_host */
  const char *local; /* who received it */
  const char *protocol;
  const char *id; /* of the message here */
  const char *tls_version, *tls_cipher;
  int64_t when;
  int hide; /* neither names nor addresses of the client */
};

/* Append the field, folded, with its last LF.  Bytes that have no place in a trace
 * field become question marks.  1, or 0 when memory ran out. */
int received_build(stralloc *out, const struct received *r) MUST_CHECK;

#endif
