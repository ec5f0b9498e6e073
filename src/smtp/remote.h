/* remote: one message to one host, for one or more recipients.  The engine of
 * qmail-remote, run by a process for one message, and by one that stays for many. */
#ifndef SMTP_REMOTE_H
#define SMTP_REMOTE_H

#include "conf/conf.h"
#include "smtp/client.h"
#include "smtp/target.h"

struct remote_job {
  const char *host, *sender;
  const char *const *recipient;
  size_t recipients;
  const char *dsn;           /* parameters (mail/dsn.h) of MAIL; null or "": none */
  const char *const *notify; /* those of each recipient; null: none of any */
  const char *extra; /* header lines before the message */
  int message;       /* descriptor, seekable */
};

/* What lives longer than a message: a connection that is ready for the next MAIL, and for a few
 * seconds where a host's mail goes.  Nothing of a message is in it. */
struct remote_keeper {
  int open;             /* client is connected and greeted */
  int verified;         /* by TLS, with a certificate for the server's name */
  struct smtp_client c;
  struct target at;     /* what it is connected to */
  int unfinished;       /* a transaction was begun and given up: RSET comes first */
  uint64_t messages;    /* sent over it, or tried */
  deadline until;       /* when to give it up if nothing comes */
  stralloc host;        /* whose targets these are, until fresh is over */
  struct target_list targets;
  deadline fresh;
};
#define REMOTE_KEEPER_INIT {.c = {.fd = -1}}

/* Try the host's servers in turn and append the reports: for each recipient, in order, r
 * accepted, h refused, s refused for now, and then K, Z or D for the message; each with text
 * and NUL.  0, or -1 when memory ran out.  Uses the keeper's connection when it leads to the
 * server that is to be tried first, and leaves the one it used there if that is in order. */
int remote_deliver(const struct remote_job *job, const struct conf *conf, struct remote_keeper *k, stralloc *report)
    MUST_CHECK;
/* The report when settings cannot be read: 0 or -1. */
int remote_bad_settings(stralloc *report, const struct strerr *why) MUST_CHECK;
/* Say QUIT, if there is somebody to say it to, and close. */
void remote_keeper_quit(struct remote_keeper *k);
/* The same, and forget where mail goes: the settings are others. */
void remote_keeper_forget(struct remote_keeper *k);

#endif
