/* client: the client side of an SMTP session (RFC 5321), one command at a time or
 * pipelined (RFC 2920).  Blocks until the deadline set for each reply. */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include <stdint.h>

#include "base/iodeadline.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "base/substdio.h"

enum smtp_capability {
  SMTP_PIPELINING = 1,
  SMTP_SIZE = 2,
  SMTP_8BITMIME = 4,
  SMTP_STARTTLS = 8,
};

struct smtp_client {
  int fd;
  struct iodeadline io;
  substdio in, out;
  uint64_t timeout; /* seconds for each reply */
  unsigned capabilities;
  uint64_t size_limit; /* with SMTP_SIZE; 0: none told */
  stralloc reply;      /* text of the last reply, lines ended by LF, capped */
  char inbuf[2048], outbuf[4096];
};

void smtp_client_init(struct smtp_client *c, int fd, uint64_t timeout);
/* Read one reply: its code (200..599), or -1 with e filled (connection lost, timed
 * out, or not SMTP). */
int smtp_client_reply(struct smtp_client *c, struct strerr *e) MUST_CHECK;
/* Queue a command (CR LF is added); it goes out with the next flush or reply. */
int smtp_client_send(struct smtp_client *c, const char *verb, const char *argument, struct strerr *e) MUST_CHECK;
/* Send and read the reply. */
int smtp_client_command(struct smtp_client *c, const char *verb, const char *argument, struct strerr *e) MUST_CHECK;
/* EHLO, else HELO, noting what the server offers: the code of the reply that counts,
 * or -1. */
int smtp_client_hello(struct smtp_client *c, const char *name, struct strerr *e) MUST_CHECK;
/* The message: from fd's offset 0 to its end, LF made CR LF, dots doubled, an
 * unfinished last line ended, then the final dot.  A bare CR goes out as it is only
 * before LF: elsewhere it is sent as CR LF, so nothing can end the data early.
 * 0 or -1. */
int smtp_client_message(struct smtp_client *c, const char *head, int fd, struct strerr *e) MUST_CHECK;
void smtp_client_close(struct smtp_client *c);

#endif
