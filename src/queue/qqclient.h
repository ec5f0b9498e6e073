/* qqclient: hands one message to the queue.  Every injector goes through here.
 *
 * The contract: a program ($QMAILQUEUE, else qmail-queue) gets the message on its
 * fd 0, the envelope on its fd 1; its exit code is the verdict (exitcodes.def), with
 * text on the error descriptor when the code is 88.  Where nobody has plugged a
 * program in and the message is short, the bytes are kept until they are complete
 * and go to the resident qmail-queued instead; when that does not answer, or the
 * message grows, the program is started after all. */
#ifndef QUEUE_QQCLIENT_H
#define QUEUE_QQCLIENT_H

#include <stdint.h>
#include <sys/types.h>

#include "base/env.h"
#include "base/iodeadline.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "queue/messid.h"

/* Connections to qmail-queued that a resident program keeps. */
#define QQCLIENT_IDLE 32
struct qqclient_pool {
  int fd[QQCLIENT_IDLE];
  size_t n;
};

struct qqclient {
  struct qqclient_pool *pool; /* null, or set after qqclient_open */
  uint64_t qp; /* number for logs and replies; known after qqclient_close */
  pid_t pid;   /* of the program; 0 when none was started */
  int message, envelope, error;
  int failed;    /* a write did not go through, or the caller gave up */
  int keeping;   /* bytes are kept in kept_message and kept_envelope */
  int in_envelope;
  int takes_dsn; /* the program is one of ours */
  char messid[MESSID_SIZE]; /* of the message; empty: the number its queue gives it */
  stralloc kept_message, kept_envelope;
  struct env env; /* of the program */
  struct iodeadline io;
  substdio ss;
  char *wide; /* for a message of some length; null: buf serves */
  char buf[4096];
};

struct qqresult {
  int code;      /* exit code; 0 queued */
  char verdict;  /* K queued, Z try again, D refused */
  stralloc text; /* for the client: "mail server permanently rejected message (#5.3.0)" */
};

/* Begin, with this environment for the program (null: our own; copied).  messid is the id of the
 * message, which the program gets as $MESSID; null: a new message, whatever $MESSID says of the
 * one we were run for.  It gets an id where $QMAILQUEUE names a program, which may want one.
 * 0 or -1. */
int qqclient_open(struct qqclient *q, const struct env *env, const char *messid, struct strerr *e) MUST_CHECK;
/* Would a program run with this environment take DSN parameters? */
int qqclient_takes_dsn(const struct env *env);
/* The name of a variable in our own environment that the program will not believe, since it has more rights
 * than we and what it names would run with them (qmail-queue(8), "What a caller may set"); null: none. */
const char *qqclient_in_vain(void);
/* Message bytes, LF line ends.  Errors are remembered for qqclient_close. */
void qqclient_put(struct qqclient *q, const char *s, size_t n);
void qqclient_puts(struct qqclient *q, const char *s);
/* The caller gives up: nothing will be queued. */
void qqclient_fail(struct qqclient *q);
/* End of message; then the envelope. */
void qqclient_from(struct qqclient *q, const char *sender, size_t n);
void qqclient_to(struct qqclient *q, const char *recipient, size_t n);
/* DSN parameters (mail/dsn.h) of the message, right after qqclient_from, and of a recipient,
 * right after its qqclient_to.  Nothing where n is 0, or where the program that stands in
 * for qmail-queue is not ours and would not know them. */
void qqclient_from_dsn(struct qqclient *q, const char *s, size_t n);
void qqclient_to_dsn(struct qqclient *q, const char *s, size_t n);
/* End of envelope; wait for the verdict.  0 when queued, -1 otherwise with r
 * filled in both cases.  Blocks until the queue program ends. */
int qqclient_close(struct qqclient *q, struct qqresult *r) MUST_CHECK;
/* "ok TIME qp NUMBER id ID", what a client is told of a message that was queued, appended: 1, or 0
 * without memory. */
int qqclient_receipt(stralloc *out, uint64_t qp, const char *messid) MUST_CHECK;
void qqresult_free(struct qqresult *r);

#endif
