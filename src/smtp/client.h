/* client: the client side of an SMTP session (RFC 5321), one command at a time or
 * pipelined (RFC 2920).  Blocks until the deadline set for each reply.
 *
 * What it queues goes out in one write as long as it fits the buffer, and what comes in is
 * waited for in the read itself: the usual message takes two of each. */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include <stdint.h>

#include "base/now.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "base/substdio.h"

enum smtp_capability {
  SMTP_PIPELINING = 1,
  SMTP_SIZE = 2,
  SMTP_8BITMIME = 4,
  SMTP_STARTTLS = 8,
  SMTP_DSN = 16,
  SMTP_UTF8 = 32,
  SMTP_MT_PRIORITY = 64,
  SMTP_DELIVERBY = 128,
  SMTP_REQUIRETLS = 256,
};

struct smtp_client {
  int fd; /* a socket */
  deadline when; /* for the reply, or the block of the message, under way */
  substdio in, out;
  uint64_t timeout; /* seconds for each reply */
  unsigned capabilities;
  uint64_t size_limit; /* with SMTP_SIZE; 0: none told */
  stralloc reply;      /* text of the last reply, lines ended by LF, capped */
  char inbuf[4096], outbuf[65536];
};

/* A message to send: its first bytes may be in memory already. */
struct smtp_message {
  const char *head; /* lines that go before it */
  const char *text; /* its first bytes, have of them */
  size_t have;
  int whole; /* text is all of it */
  int fd;    /* the file, from whose offset have on it goes on */
};

/* Take over a connected socket. */
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
/* The message: LF made CR LF, dots doubled, an unfinished last line ended, then the final
 * dot.  A CR goes out as it is only before LF: elsewhere it is sent as CR LF, so nothing can
 * end the data early.  All is sent: on -1, the final dot is not. */
int smtp_client_message(struct smtp_client *c, const struct smtp_message *m, struct strerr *e) MUST_CHECK;
void smtp_client_close(struct smtp_client *c);

#endif
