/* starttls: what a client says before TLS to a server that takes nothing without it, in SMTP, POP3 and
 * IMAP: for sslerator, in front of servers that know no TLS themselves. */
#ifndef USER_STARTTLS_H
#define USER_STARTTLS_H

#include "base/now.h"
#include "base/stralloc.h"

struct starttls_protocol;
/* By name, smtp, pop3 or imap: or null. */
const struct starttls_protocol *starttls_find(const char *name);

enum starttls_next {
  STARTTLS_STAY,  /* another command */
  STARTTLS_BEGIN, /* the reply goes out, then the handshake begins */
  STARTTLS_FAULT, /* the same as STAY, of a command that makes no sense here */
  STARTTLS_END,
};
/* The reply to one line (without CR and LF) appended to out; host is our name. */
enum starttls_next starttls_command(const struct starttls_protocol *p, const char *line, const char *host, stralloc *out) MUST_CHECK;
/* The whole dialogue, greeting included: 1 when the handshake is to begin, 0 when the client has gone, has
 * said goodbye or was sent away.  No byte behind the command that begins TLS is read. */
int starttls_dialogue(const struct starttls_protocol *p, int in, int out, const char *host, deadline when) MUST_CHECK;
/* The server behind us greets as well: is this line of it (without LF) the last one of its greeting? */
int starttls_greeting_ends(const struct starttls_protocol *p, const char *line);

#endif
