/* login: what IMAP and POP3 have in common before the mail server runs: the session's
 * limits, TLS, whether a password may be given, checking it, and becoming the server.
 *
 * No password is taken before TLS, unless the client is on this host and the
 * administrator allows it.  Every deadline is absolute. */
#ifndef USER_LOGIN_H
#define USER_LOGIN_H

#include "base/log.h"
#include "base/now.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "net/tls_client.h"
#include "user/login_line.h"
#include "user/lookup.h"

enum login_verdict {
  LOGIN_WRONG,    /* user or password: say so; the wait is over */
  LOGIN_TEMPFAIL, /* could not be checked, or the mailbox cannot be served now */
  LOGIN_TOO_MANY, /* wrong, and no more tries: say goodbye */
  LOGIN_REFUSED,      /* user and password are right, but it may not come in: l->why */
  LOGIN_NO_MECHANISM, /* of that name, here and now */
  LOGIN_WANTS_TLS,    /* that mechanism is there inside TLS */
  LOGIN_CANCELLED,    /* by the client */
  LOGIN_MALFORMED,    /* what the client sent is none of the mechanism */
  LOGIN_GONE,         /* the client, or our memory */
};

/* How a protocol says things; the engine never speaks itself. */
struct login;
struct store_place;
struct mail_server;
struct login_protocol {
  const char *service;    /* "imap", "pop3" */
  enum setting implicit;  /* the setting that means TLS from the first byte */
  int uses_tag;           /* commands have tags: IMAPLOGINTAG */
  /* A sentence the user is to see, before the mail server runs; null where the protocol has no way. */
  void (*alert)(struct login *l, const char *text);
};

struct login {
  const char *name; /* of the program */
  const struct login_protocol *protocol;
  const struct conf *conf;
  char **argv;  /* our own: argv[1] is the server, or the first module */
  int argc;
  int in, out;  /* the connection */
  int tls;
  struct tls_info tls_info; /* of the connection, until the login */
  int loopback; /* the client is on this host */
  unsigned tries;  /* wrong passwords so far */
  unsigned faults; /* senseless commands so far */
  deadline session;
  stralloc line;   /* the current line */
  stralloc replies; /* not sent yet: one write, so that none waits for an acknowledgement */
  stralloc remote; /* client's address */
  stralloc remote_port, local, local_port; /* where somebody we trust has said so, else empty */
  int proxied; /* a proxy has said for whom it speaks */
  stralloc user, password;
  stralloc why; /* of LOGIN_REFUSED */
  struct lookup lookup;
  /* Who says whether user and password are right, and what follows: inlookup and the mail server, the
   * modules of the command line, or a proxy's mail store. */
  enum login_verdict (*judge)(struct login *l, const char *tag);
  const struct store_place *store; /* the proxy's */
  const struct mail_server *server;
};

#define LOGIN_FAULTS_MAX 10

/* Before the protocol begins: settings, environment, implicit TLS.  tag gets the tag of
 * a login that failed in a module chain, or stays empty.  0, or -1 with e filled. */
int login_start(struct login *l, const char *name, const struct login_protocol *p, const struct conf *conf, int argc, char **argv,
                stralloc *tag, struct strerr *e) MUST_CHECK;
/* To be sent before the next read: 0, or -1 (memory, too much). */
int login_say(struct login *l, const char *s, size_t n) MUST_CHECK;
int login_says(struct login *l, const char *s) MUST_CHECK;
/* Send it now: 0, or -1: the client is gone. */
int login_flush(struct login *l) MUST_CHECK;
/* The next line of the client into l->line; exactly n bytes, appended to out. */
enum login_read login_read_line(struct login *l) MUST_CHECK;
enum login_read login_read_bytes(struct login *l, stralloc *out, size_t n) MUST_CHECK;
deadline login_deadline(const struct login *l);

/* May STARTTLS be offered now?  May a password be given now? */
int login_may_tls(const struct login *l);
int login_may_plaintext(const struct login *l);
/* The handshake, after the client was told to begin: 0, or -1: end the session. */
int login_tls(struct login *l, struct strerr *e) MUST_CHECK;

/* Check l->user and l->password, which are wiped, and become the mail server (or the
 * first module): returns only when that did not work. */
enum login_verdict login_try(struct login *l, const char *tag);

/* A login that has been found right in another way: a is the account.  Wipes nothing; returns only
 * when the mail server could not be run. */
enum login_verdict login_accept(struct login *l, const struct lookup_account *a, const char *typed, const char *tag);
/* It has worked: to the log. */
void login_welcome(const struct login *l, const char *typed);
/* One that was wrong, logged and paid for with a wait; or, where why is not empty, was right, but may
 * not come in. */
enum login_verdict login_reject(struct login *l, const char *typed, const char *why);
/* After a login that modules have refused: the wait.  WRONG, or TOO_MANY. */
enum login_verdict login_resumed(struct login *l) MUST_CHECK;
/* A line of the log, as this program. */
void login_log(const struct login *l, enum log_event event, const struct log_arg *arg, size_t n);
/* What went wrong, to the log. */
void login_trouble(const struct login *l, const struct strerr *e);
/* Does inlookup judge, so that logins without a password can be judged too? */
int login_asks_lookup(const struct login *l);

void login_free(struct login *l);

#endif
