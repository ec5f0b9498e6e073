/* sasl: exchanges of SASL mechanisms (RFC 4422), whatever protocol carries their messages: SMTP,
 * IMAP and POP3 bring a sasl_carrier.
 *
 * An exchange blocks where its carrier does, and gives no verdict of its own on a password: the
 * caller, inlookup or a program of the administrator's does. */
#ifndef USER_SASL_H
#define USER_SASL_H

#include <stdint.h>

#include "base/env.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "net/tls_client.h"
#include "user/lookup.h"

enum sasl_verdict {
  SASL_YES,
  SASL_YES_NO_RELAY, /* yes, but may not send mail to others */
  SASL_NO,
  SASL_TEMPFAIL, /* could not be found out: struct sasl's e says why */
  SASL_ENDED,    /* given up, refused or lost; the client has been told */
};

struct sasl;
/* How a protocol carries it. */
struct sasl_carrier {
  /* Send a challenge of n bytes, decode what the client answers: SASL_YES, or SASL_ENDED. */
  enum sasl_verdict (*ask)(struct sasl *x, const char *challenge, size_t n, stralloc *answer);
  /* The client's message is none of the mechanism: tell it.  SASL_ENDED. */
  enum sasl_verdict (*malformed)(struct sasl *x, const char *what);
  /* Memory ran out: end the session.  SASL_ENDED. */
  enum sasl_verdict (*nomem)(struct sasl *x);
  /* What no honest client does, or what says that somebody sits between: log it.  SASL_NO. */
  enum sasl_verdict (*suspect)(struct sasl *x, const char *why);
};

/* One exchange under way.  What is borrowed outlives it. */
struct sasl {
  const struct sasl_carrier *carrier;
  void *context;           /* the carrier's */
  const char *service;     /* smtp, imap, pop3 */
  const char *ip;          /* of the client */
  const stralloc *initial; /* the initial response, decoded; null when there is none */
  const struct tls_info *tls; /* of the connection; null without TLS */
  int binding_offered;        /* is a mechanism offered that binds a login to the connection? */
  int lookup_seconds;         /* for an answer of inlookup */
  struct lookup *lookup;
  struct lookup_account *account; /* filled by SCRAM */
  stralloc user, secret, response; /* what the client gave, as a program gets it */
  struct strerr e;
};
/* Wipes what the client gave. */
void sasl_forget(struct sasl *x);

/* --- exchanges.  user is filled as soon as it is known. */

/* PLAIN (RFC 4616), LOGIN: SASL_YES when user and secret are there, to be judged. */
enum sasl_verdict sasl_plain(struct sasl *x) MUST_CHECK;
enum sasl_verdict sasl_login(struct sasl *x) MUST_CHECK;
/* SCRAM (RFC 5802, RFC 7677), judged by inlookup; bound where the name ends in -PLUS. */
enum sasl_verdict sasl_scram(struct sasl *x, const char *mechanism) MUST_CHECK;
/* OAUTHBEARER (RFC 7628), XOAUTH2: the token is judged by the function given; scope, if not empty,
 * is told to a client whose token is refused. */
typedef enum sasl_verdict sasl_judge(struct sasl *x);
enum sasl_verdict sasl_oauthbearer(struct sasl *x, sasl_judge *judge, const char *scope) MUST_CHECK;
enum sasl_verdict sasl_xoauth2(struct sasl *x, sasl_judge *judge, const char *scope) MUST_CHECK;

/* --- steps of an exchange: SASL_YES when done, else what it has come to */

/* The client's first message: the initial response, or what it answers to an empty challenge. */
enum sasl_verdict sasl_first(struct sasl *x, stralloc *answer) MUST_CHECK;
/* n random bytes as base64, appended: 1, or 0 with e filled. */
int sasl_random(struct sasl *x, size_t n, stralloc *out) MUST_CHECK;
/* A message in base64, as protocols carry it, "=" for an empty one: 1, 0 malformed, -1 memory. */
int sasl_decode(const char *text, size_t n, stralloc *out) MUST_CHECK;

/* --- programs that judge */

/* A program with checkpassword's contract: descriptor 3 gives user, secret, response and the method
 * byte, each with a NUL; exit 0, 1, 3 (SASL_YES_NO_RELAY) or 111.  It gets a small environment taken
 * from env, and no descriptor of ours but the log. */
#define SASL_PROGRAM_MAX 512 /* bytes, of that contract */
#define SASL_TOKEN_MAX 16384 /* tokens are longer; a pipe holds more */
struct sasl_question {
  char *const *argv;
  size_t max; /* bytes the program is given; more are nobody's */
  unsigned char method;
  const struct env *env;
  stralloc *answer; /* what it writes to descriptor 6, or null */
};
enum sasl_verdict sasl_program(struct sasl *x, const struct sasl_question *q) MUST_CHECK;
/* The same of a command, words between blanks: of the setting of that name.  q->argv is not looked at. */
enum sasl_verdict sasl_program_command(struct sasl *x, const char *setting, const char *command,
                                       const struct sasl_question *q) MUST_CHECK;

#define SASL_METHOD_XOAUTH2 17
#define SASL_METHOD_OAUTHBEARER 18

#endif
