/* resident: connections handed to a server that stays, so that none costs a process.
 *
 * tcpserver -W starts `PROGRAM -W argument...` with one end of a SOCK_SEQPACKET pair as
 * descriptor 0.  Each message to it is one connection, whose socket comes along: its
 * number in decimal, NUL, then the variables that a program of its own would find in its
 * environment, each NAME=value NUL.  When connections are over, the server sends their
 * numbers back, each ended by NUL.  At the end of descriptor 0 it serves what it has and
 * ends; on SIGTERM too, and asks the connections to come to an end. */
#ifndef NET_RESIDENT_H
#define NET_RESIDENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/stralloc.h"
#include "base/strerr.h"

#define RESIDENT_MESSAGE_MAX 65536

/* The codec.  Formatting: begin with the number, then add variables. */
int resident_format(stralloc *out, uint64_t number) MUST_CHECK;
/* 1, 0 malformed, -1 no memory.  The variables go into env. */
int resident_parse(const char *s, size_t n, uint64_t *number, struct env *env) MUST_CHECK;
/* The next number of an answer at *pos: 1, 0 at the end, -1 malformed. */
int resident_next_over(const char *s, size_t n, size_t *pos, uint64_t *number);

struct resident_connection {
  uint64_t number;
  int fd;         /* close-on-exec; it is closed when serve returns */
  struct env env; /* its variables; what is not there is as in our own environment */
};

/* The server's side: call serve for each connection, each in a task of its own
 * (base/task.h) with that much stack.  Returns when descriptor 0 has ended, or SIGTERM has come,
 * and the last connection is over: 0, or -1 with e filled. */
struct resident {
  void (*serve)(void *ctx, struct resident_connection *c);
  void (*stop)(void *ctx); /* SIGTERM: connections, and those still handed over, are to come to an end */
  void *ctx;
  size_t stack;
};
int resident_run(const struct resident *r, struct strerr *e) MUST_CHECK;

#endif
