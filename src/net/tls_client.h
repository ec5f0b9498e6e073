/* tls_client: TLS without OpenSSL in the caller.
 *
 * The keys and the protocol live in qmail-tlsd, a process of its own.  A program
 * hands it the network socket over a Unix socket and gets a plaintext socket back
 * (tls_proto.h has the messages).  Where no qmail-tlsd answers, one is started for
 * this connection alone, with the same code. */
#ifndef NET_TLS_CLIENT_H
#define NET_TLS_CLIENT_H

#include "base/now.h"
#include "base/stralloc.h"
#include "base/strerr.h"

enum tls_role { TLS_SERVER, TLS_CLIENT };

struct tls_request {
  enum tls_role role;
  const char *name; /* client: server name for SNI and, with verify, the certificate; server: null */
  int verify;       /* client: the certificate must be valid for name */
};

struct tls_info {
  stralloc version; /* "TLSv1.3" */
  stralloc cipher;  /* "TLS_AES_256_GCM_SHA384" */
  stralloc peer;    /* subject of the peer's certificate, "" if none */
  stralloc name;    /* SNI the client asked for, "" if none */
  stralloc bindings; /* for tls_binding; "" if the connection has none */
  int verified;
};

/* Could a server offer TLS (does its certificate exist, or does qmail-tlsd
 * answer)?  Cheap; 1 or 0. */
int tls_available(void);
/* What ties a login to this connection (RFC 5056): the bytes of the binding of that type,
 * tls-exporter (RFC 9266) or tls-server-end-point (RFC 5929), borrowed from info, and how
 * many.  Null when the connection has none of that type. */
const char *tls_binding(const struct tls_info *info, const char *type, size_t type_n, size_t *n);
/* Do the handshake on netfd.  Gives a plaintext socket that stands for it (netfd
 * is closed here on success and on failure), or -1 with e filled.  Blocks until
 * the handshake is done or when passes. */
int tls_start(int netfd, const struct tls_request *r, deadline when, struct tls_info *info,
              struct strerr *e) MUST_CHECK;
void tls_info_free(struct tls_info *info);

#endif
