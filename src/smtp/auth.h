/* auth: SASL exchanges and the program that knows the passwords. */
#ifndef SMTP_AUTH_H
#define SMTP_AUTH_H

#include "smtp/session.h"

struct credentials {
  stralloc user, secret, response;
};

enum auth_got {
  AUTH_GOT,     /* credentials complete */
  AUTH_BAD,     /* refused; the reply is out */
  AUTH_LOST,    /* the session is over */
};

/* A mechanism's exchange.  initial is the decoded initial response, null when the
 * client gave none. */
typedef enum auth_got (*auth_exchange)(struct session *s, const stralloc *initial, struct credentials *c);
#define MECHANISM(name, method, handler, meaning) \
  enum auth_got handler(struct session *s, const stralloc *initial, struct credentials *c);
#include "smtp/verbs.def"

/* Send a challenge (plain text) and decode the client's answer. */
enum auth_got auth_ask(struct session *s, const char *challenge, stralloc *answer);
/* Turn base64 from the client into bytes; "=" is the empty response. */
enum auth_got auth_decode(struct session *s, const char *text, size_t n, stralloc *out);

enum auth_verdict { AUTH_YES, AUTH_YES_NO_RELAY, AUTH_NO, AUTH_TEMPFAIL };

/* Ask the program of the session (checkpassword's contract: descriptor 3 gives user,
 * secret, response and method byte, each with a NUL; exit 0, 1, 3 or 111).  It gets a
 * small environment and no descriptor of ours but the log. */
enum auth_verdict auth_program(const struct session *s, unsigned char method, const struct credentials *c,
                               deadline when, struct strerr *e);
void credentials_free(struct credentials *c);

#endif
