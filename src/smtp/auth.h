/* auth: SASL exchanges over SMTP (RFC 4954), and those who know the passwords. */
#ifndef SMTP_AUTH_H
#define SMTP_AUTH_H

#include "smtp/session.h"

enum auth_verdict {
  AUTH_YES,
  AUTH_YES_NO_RELAY,
  AUTH_NO,
  AUTH_TEMPFAIL, /* could not be found out: struct auth's e says why */
  AUTH_ENDED,    /* given up, refused or lost; the reply is out */
};

/* One AUTH under way; it lives on the stack of the verb. */
struct auth {
  struct session *s;
  const struct auth_mechanism *m;
  const stralloc *initial;          /* the initial response, decoded; null when there is none */
  stralloc user, secret, response;  /* what the client gave, as the program gets it */
  struct strerr e;
};

/* A mechanism's exchange, from the initial response to the verdict; user is filled as soon
 * as it is known. */
typedef enum auth_verdict (*auth_exchange)(struct auth *a);

enum auth_judge {
  AUTH_BY_PROGRAM,  /* the program of the command line */
  AUTH_BY_TOKEN,    /* the program of control/oauthprogram */
  AUTH_BY_INLOOKUP, /* inlookup itself, where the command line asks no other */
  AUTH_BY_BINDING,  /* the same, on a connection that a login can be bound to */
};

struct auth_mechanism {
  const char *name;
  unsigned char method; /* for the program */
  auth_exchange exchange;
  int clear;            /* shows the secret to whoever listens */
  enum auth_judge judge;
  int on_demand;        /* offered only when control/authmechanisms names it */
  enum setting disabled;
};

#define MECHANISM(name, method, handler, shows, judge, offer, setting, meaning) enum auth_verdict handler(struct auth *a);
#include "smtp/verbs.def"

/* The mechanism of this name, whether offered or not; null. */
const struct auth_mechanism *auth_find(const char *name, size_t n);
enum auth_offer {
  AUTH_OFFERED,
  AUTH_WANTS_TLS, /* it will be, inside TLS */
  AUTH_NOT_OFFERED,
};
enum auth_offer auth_offered(const struct session *s, const struct auth_mechanism *m);
/* The names of all offered, each with a blank before it: how many, or -1 (memory). */
int auth_list(const struct session *s, stralloc *out) MUST_CHECK;
/* Is a login that is bound to the connection offered? */
int auth_offers_binding(const struct session *s);
/* Are the names in control/authmechanisms mechanisms?  0, or -1 with e filled. */
int auth_settings_ok(const struct conf *conf, struct strerr *e) MUST_CHECK;

/* The steps of an exchange: AUTH_YES when it was done, else what the exchange has come to,
 * to be handed on. */
/* Send a challenge of n bytes, decode the client's answer. */
enum auth_verdict auth_ask(struct auth *a, const char *challenge, size_t n, stralloc *answer);
/* The client's first message: the initial response, or what it answers to an empty challenge. */
enum auth_verdict auth_first(struct auth *a, stralloc *answer);
/* Turn base64 from the client into bytes; "=" is the empty response. */
enum auth_verdict auth_decode(struct session *s, const char *text, size_t n, stralloc *out);

/* How an exchange may end early. */
enum auth_verdict auth_malformed(struct auth *a, const char *what); /* 501 */
enum auth_verdict auth_nomem(struct auth *a);
/* What no honest client does, or what says that somebody sits between: logged; a failed login. */
enum auth_verdict auth_suspect(struct auth *a, const char *why);
/* n random bytes as base64, appended: 1, or 0 with a->e filled. */
int auth_random(struct auth *a, size_t n, stralloc *out) MUST_CHECK;

/* Ask a program about user, secret and response (checkpassword's contract: descriptor 3
 * gives them and the method byte, each with a NUL; exit 0, 1, 3 or 111).  It gets a small
 * environment and no descriptor of ours but the log.  answer may be null: what it writes
 * to descriptor 6. */
struct auth_question {
  char *const *argv;
  size_t max; /* bytes it is given; more are nobody's */
  stralloc *answer;
};
enum auth_verdict auth_program(struct auth *a, const struct auth_question *q);
/* The program of the command line. */
enum auth_verdict auth_check(struct auth *a, stralloc *answer);

#endif
