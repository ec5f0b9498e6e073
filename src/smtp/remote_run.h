/* remote_run: one delivery under way; what the files remote*.c share. */
#ifndef SMTP_REMOTE_RUN_H
#define SMTP_REMOTE_RUN_H

#include "mail/dsn.h"
#include "smtp/remote.h"

#define REMOTE_BLOCK 65536

/* What became of one server. */
enum remote_outcome {
  OVER,        /* reports are written */
  NEXT_SERVER, /* nothing was sent: the next one may be tried */
  NO_TLS,      /* the handshake failed: once more without */
  READY,       /* connected and greeted: for a transaction */
  STALE,       /* a connection that was kept is no good any more: once more over a new one */
};

/* What state the connection was left in. */
enum remote_left { LEFT_BROKEN, LEFT_UNFINISHED, LEFT_CLEAN };

struct remote_run {
  const struct remote_job *job;
  const struct conf *conf;
  struct remote_keeper *k;
  stralloc *report;
  const struct target *t;
  char address[IP_TEXT]; /* of t */
  int reused;            /* the connection is that of an earlier message */
  enum remote_left left;
  int has_8bit;
  struct dsn_mail asked; /* what job->dsn says */
  int needs_utf8;        /* only a server with SMTPUTF8 can take it */
  uint64_t size;
  struct smtp_message message;
  int no_memory;
  struct strerr e; /* why the last server would not do */
};

/* remote_report.c: pieces of reports; what comes from outside goes through masked. */
void remote_put(struct remote_run *r, const char *s, size_t n);
void remote_puts(struct remote_run *r, char letter, const char *a, const char *b, const char *c);
void remote_put_masked(struct remote_run *r, const char *s, size_t n);
/* What the server's last reply said, at most max bytes of it. */
void remote_put_said(struct remote_run *r, size_t max);
void remote_end_report(struct remote_run *r);

/* remote_transaction.c: MAIL to the reply to the message, over the keeper's connection. */
enum remote_outcome remote_transaction(struct remote_run *r);
/* A message report without recipient reports: letter, text, and what the server said. */
enum remote_outcome remote_give_up(struct remote_run *r, char letter, const char *what);

/* remote_connect.c: connect, be greeted, agree on TLS: OVER (a report says why not), NEXT_SERVER,
 * NO_TLS, or READY. */
enum remote_outcome remote_connect(struct remote_run *r, const struct target_list *l, int tls_allowed);

/* remote_turned.c: instead, over the connection the host has made to fetch its mail. */
void remote_turned(struct remote_run *r);

#endif
