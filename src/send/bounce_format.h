/* bounce_format: the text of a bounce around the message it returns: a multipart/report
 * (RFC 3462, 3464; with addresses that are not ASCII RFC 6533), or the plain text of QSBMF.
 * Pure: time and random bytes are arguments. */
#ifndef SEND_BOUNCE_FORMAT_H
#define SEND_BOUNCE_FORMAT_H

#include <stdint.h>

#include "base/stralloc.h"
#include "send/bounce_scan.h"

enum bounce_kind { BOUNCE_OF_FAILURE, BOUNCE_OF_SUCCESS, BOUNCE_OF_DELAY, BOUNCE_KINDS };

struct bounce_letter {
  enum bounce_kind kind;
  int qsbmf;      /* else a report */
  int is_double;  /* to the postmaster, about a bounce */
  int only_header; /* of the message goes back */
  const char *from, *host; /* author: from@host */
  const char *me;          /* who reports */
  const char *subject;
  const char *message; /* the administrator's words for the first paragraph; "" for ours */
  const stralloc *to;  /* plain addresses, as in envelopes */
  const stralloc *sender;
  const stralloc *text; /* bounce/ID */
  const char *dsn;      /* parameters of MAIL */
  size_t dsn_n;
  int64_t now, birth;
  int64_t until; /* so long what is late will be tried */
  uint64_t id;
  const struct bounce_scan *scan; /* of "Return-Path" and message; its boundary is used */
};

/* "Return-Path: <sender>\n", which goes before the message and is scanned with it. */
int bounce_format_path(stralloc *out, const stralloc *sender) MUST_CHECK;
/* Append everything up to the line with the return path; and what follows the message. cut: it
 * was cut short.  1, or 0 when memory ran out. */
int bounce_format_head(stralloc *out, const struct bounce_letter *l) MUST_CHECK;
int bounce_format_tail(stralloc *out, const struct bounce_letter *l, int cut) MUST_CHECK;

#endif
