/* intake: a message on its way from a session into the queue, whatever verb or protocol brings
 * it.  It streams into the queue program; the last checks judge it before the envelope makes it
 * count. */
#ifndef SMTP_INTAKE_H
#define SMTP_INTAKE_H

#include "mail/submission_header.h"
#include "smtp/session.h"

struct intake {
  struct session *s;
  int queued;     /* the queue program runs; 0: the message is thrown away */
  uint64_t limit; /* databytes; 0: none */
  int look;       /* checks want to see what is in it */
  int enveloped;  /* the sender and a recipient have been given */
  int completes;  /* what its header lacks is added */
  struct submission_header header;
  struct submission_fields fields;
  stralloc date, message_id, piece;
  struct binary_mime mime; /* BODY=BINARYMIME */
  struct qqclient q; /* the last: it need not be zeroed */
};

/* What the client is told in the end, in SMTP's terms. */
struct intake_answer {
  unsigned code; /* 250 queued, or accepted and thrown away */
  char enhanced[16];
  stralloc text;
  int accepted; /* the log is to say so, with the number qp */
  uint64_t qp;
};

/* Begin, once the session's transaction has its recipients.  0, or -1 with e filled: it cannot be
 * queued now, which is logged, and there is nothing to end; permanent where it would be queued by a program
 * that forgets what the client was promised (smtp/verbs.def). */
int intake_open(struct intake *in, struct session *s, struct strerr *e) MUST_CHECK;
/* The same for a protocol whose recipients come behind the message. */
int intake_open_early(struct intake *in, struct session *s, struct strerr *e) MUST_CHECK;
/* What SMTP's client is told when it was not. */
void intake_not_opened(struct session *s, const struct strerr *e);
/* Bytes of the message with LF line ends; a data_sink (mail/data_reader.h), ctx the intake. */
void intake_put(void *in, const char *s, size_t n);
/* Bytes of chunks, as they come; and their end. */
void intake_chunk(struct intake *in, const char *s, size_t n);
void intake_end_chunks(struct intake *in);
/* Whatever comes now, it will be refused: for its line ends, or its size. */
int intake_doomed(const struct intake *in);
/* For a protocol with more recipients than we would keep: the message is whole, its sender that of the
 * transaction, and this is the next recipient: 1, or 0 without memory. */
int intake_recipient(struct intake *in, const stralloc *to) MUST_CHECK;
/* The message is whole: judge it, queue it; a refusal is logged.  Once the client has been told the answer,
 * intake_answered logs what was accepted, and frees it. */
void intake_finish(struct intake *in, struct intake_answer *a);
/* It is whole, and refused for this reason of the protocol's: nothing is queued, which is logged. */
void intake_refuse(struct intake *in, const char *why);
/* It is not, or nobody wants it: nothing is queued, nothing logged. */
void intake_abandon(struct intake *in);
void intake_answered(const struct intake *in, struct intake_answer *a);

#endif
