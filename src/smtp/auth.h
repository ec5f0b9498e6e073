/* auth: SASL exchanges over SMTP (RFC 4954), and those who know the passwords. */
#ifndef SMTP_AUTH_H
#define SMTP_AUTH_H

#include "smtp/session.h"
#include "user/sasl.h"

/* One AUTH under way; it lives on the stack of the verb. */
struct auth {
  struct sasl sasl;
  struct session *s;
  const struct auth_mechanism *m;
};

/* A mechanism's exchange, from the initial response to the verdict; user is filled as soon
 * as it is known. */
typedef enum sasl_verdict (*auth_exchange)(struct auth *a);

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

#define MECHANISM(name, method, handler, shows, judge, offer, setting, meaning) enum sasl_verdict handler(struct auth *a);
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

/* Makes a ready for an exchange of m in s; initial: the client's initial response, or null. */
void auth_begin(struct auth *a, struct session *s, const struct auth_mechanism *m, const stralloc *initial);

/* The steps of an exchange (user/sasl.h), and how it may end early. */
enum sasl_verdict auth_ask(struct auth *a, const char *challenge, size_t n, stralloc *answer);
/* Turn base64 from the client into bytes; "=" is the empty response. */
enum sasl_verdict auth_decode(struct session *s, const char *text, size_t n, stralloc *out);
enum sasl_verdict auth_malformed(struct auth *a, const char *what); /* 501 */
enum sasl_verdict auth_nomem(struct auth *a);
enum sasl_verdict auth_suspect(struct auth *a, const char *why);

/* Ask the program of the command line about user, secret and response.  answer may be null: what
 * it writes to descriptor 6. */
enum sasl_verdict auth_check(struct auth *a, stralloc *answer);

#endif
