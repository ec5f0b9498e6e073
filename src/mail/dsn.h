/* dsn: what a sender asks for about delivery status notifications (RFC 3461) and about the
 * message as a whole, as text: the parameters of MAIL and RCPT as they stand in those commands, one
 * blank between two.  "RET=HDRS ENVID=QQ314" and "NOTIFY=SUCCESS,FAILURE
 * ORCPT=rfc822;bob@example.org".  In this form they go from the SMTP server to the queue, lie
 * there, and go on to the next server.  Values keep their xtext encoding (RFC 3461 section 4);
 * times, which a client counts from now, are Unix seconds: HOLDUNTIL=1795663470,
 * BY=1795663470;RT.  Pure. */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include <stddef.h>
#include <stdint.h>

#include "base/stralloc.h"

#define DSN_ENVID_MAX 100
#define DSN_ORCPT_MAX 500
#define DSN_PRIORITY_MAX 9

enum dsn_ret { DSN_RET_NONE, DSN_RET_FULL, DSN_RET_HDRS };
enum dsn_by { DSN_BY_NONE, DSN_BY_NOTIFY, DSN_BY_RETURN };
/* Borrowed from the text; an absent value has length 0, or is 0. */
struct dsn_mail {
  enum dsn_ret ret;
  const char *envid;
  size_t envid_n;
  int utf8;            /* SMTPUTF8 (RFC 6531) */
  int requiretls;      /* REQUIRETLS (RFC 8689) */
  int priority;        /* MT-PRIORITY (RFC 6710), -9 to 9 */
  uint64_t hold_until; /* HOLDUNTIL (RFC 4865) */
  uint64_t by;         /* BY (RFC 2852): by then it is to be delivered, or else ... */
  enum dsn_by by_mode;
  int by_trace;        /* each server tells that it has passed the message on */
};

enum dsn_notify { DSN_NEVER = 1, DSN_SUCCESS = 2, DSN_FAILURE = 4, DSN_DELAY = 8 };
struct dsn_rcpt {
  unsigned notify; /* bits; 0: not given */
  const char *orcpt; /* type;address */
  size_t orcpt_n;
};

/* 1, or 0 when the text is not such parameters, each at most once.  Nothing at all is
 * right too. */
int dsn_mail_parse(const char *s, size_t n, struct dsn_mail *d);
int dsn_rcpt_parse(const char *s, size_t n, struct dsn_rcpt *d);
/* Replace out by the text: 1, or 0 when memory ran out. */
int dsn_mail_format(stralloc *out, const struct dsn_mail *d) MUST_CHECK;
int dsn_rcpt_format(stralloc *out, const struct dsn_rcpt *d) MUST_CHECK;

/* Is a failure of this recipient to be told?  The text of its parameters; one that cannot
 * be read counts as none. */
int dsn_tell_failure(const char *s, size_t n);
/* Does the sender ask in so many words to be told of what, one bit of enum dsn_notify? */
int dsn_asks(const char *s, size_t n, unsigned what);
/* What goes on with a message that is forwarded (RFC 3461 section 5.2.7), in place of out: the
 * parameters of its MAIL; and of its recipient, for one new recipient that stands for it, or for
 * each of several, of whose success nobody is told but by who forwards it.  1, or 0 when memory
 * ran out; what cannot be read is left out. */
int dsn_mail_forward(stralloc *out, const char *s, size_t n) MUST_CHECK;
int dsn_rcpt_forward(stralloc *out, const char *s, size_t n, int several) MUST_CHECK;
/* Append what xtext stands for; what is no printable ASCII in it becomes a question mark.
 * 1 or 0. */
int dsn_xtext_decode(stralloc *out, const char *s, size_t n) MUST_CHECK;
/* Append text as xtext: 1 or 0. */
int dsn_xtext_encode(stralloc *out, const char *s, size_t n) MUST_CHECK;

#endif
