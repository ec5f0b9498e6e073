/* store: the connection of a proxy to the host that has the mailboxes, and the login there.
 *
 * Every call blocks until store_deadline at most. */
#ifndef USER_STORE_H
#define USER_STORE_H

#include "base/now.h"
#include "conf/conf.h"
#include "net/ip.h"
#include "user/login_line.h"

enum store_tls { STORE_STARTTLS, STORE_TLS, STORE_PLAIN };
enum store_client { STORE_CLIENT_SAID, STORE_CLIENT_PROXY, STORE_CLIENT_UNTOLD };

/* Where it is, by the settings. */
struct store_place {
  stralloc name; /* of the host; its certificate's too */
  struct ip ip;
  int has_ip; /* else the DNS is asked */
  uint16_t port;
  enum store_tls tls;
  int verify; /* the certificate */
  enum store_client client; /* how it learns for whom we speak */
};
/* Of mailstore, mailstore_tls, mailstore_verify, mailstore_client, and $DESTPORT, whose service must be
 * this one.  1; 0: no store is set, users are served here; -1 with e filled, permanent. */
int store_place_find(struct store_place *p, const struct conf *conf, const char *service, uint16_t port, struct strerr *e) MUST_CHECK;
/* Of a host and a port as given, without TLS and without telling the client.  0, or -1 with e filled. */
int store_place_of(struct store_place *p, const char *host, const char *port, struct strerr *e) MUST_CHECK;
void store_place_free(struct store_place *p);

/* A connection; use STORE_INIT. */
struct store {
  int fd;
  deadline when;
  stralloc line;   /* the last one read */
  stralloc before; /* lines the client is to get before it, as they came */
};
#define STORE_INIT {-1, 0, STRALLOC_INIT, STRALLOC_INIT}

/* Who logs in, from where. */
struct store_user {
  const char *user, *password;
  const char *ip, *port; /* port may be "" */
};

enum store_verdict {
  STORE_IN,       /* line is what the client is to be told, from behind its tag or from +OK on */
  STORE_WRONG,    /* user or password */
  STORE_REFUSED,  /* line says why, as above */
  STORE_TEMPFAIL, /* e says why */
};
/* How a protocol does it, from the greeting to the answer. */
typedef enum store_verdict store_login(struct store *s, const struct store_place *p, const struct store_user *u, struct strerr *e);
store_login store_imap, store_pop3;

/* Connected, and with TLS where it begins with it: 0, or -1 with e filled. */
int store_open(struct store *s, const struct store_place *p, const struct store_user *u, deadline when, struct strerr *e) MUST_CHECK;
void store_close(struct store *s);

/* For store_imap.c and store_pop3.c.  All: 0, or -1 with e filled. */
/* Texts up to a null, and CR LF. */
int store_say(struct store *s, struct strerr *e, ...) MUST_CHECK __attribute__((sentinel));
int store_read(struct store *s, struct strerr *e) MUST_CHECK;
/* The handshake, after the server has agreed. */
int store_tls(struct store *s, const struct store_place *p, struct strerr *e) MUST_CHECK;
/* PLAIN's message (RFC 4616) in base64. */
int store_plain(const struct store_user *u, stralloc *out, struct strerr *e) MUST_CHECK;
/* Does the line of words have this one, case ignored? */
int store_has_word(const char *line, const char *word);
/* The server has said what it must not, or nothing of use: STORE_TEMPFAIL. */
enum store_verdict store_odd(const struct store *s, struct strerr *e);

#endif
