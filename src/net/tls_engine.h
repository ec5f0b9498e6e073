/* tls_engine: OpenSSL contexts and handshakes.  Only qmail-tlsd links this: the
 * other programs know tls_client.h.
 *
 * The server's context is built anew from each certificate file and put in place
 * only when the file is good; connections made with the old one keep it. */
#ifndef NET_TLS_ENGINE_H
#define NET_TLS_ENGINE_H

#include "base/strerr.h"
#include "base/stralloc.h"
#include "net/tls_proto.h"

struct ssl_st;
struct ssl_ctx_st;

struct tls_engine {
  struct ssl_ctx_st *server;   /* null: no certificate yet */
  struct ssl_ctx_st *any;      /* client, any certificate */
  struct ssl_ctx_st *verified; /* client, certificate checked; made when first needed */
  int lowest, highest;         /* protocol versions, 0: no limit */
  stralloc ciphers;            /* of TLS 1.2 */
  /* The context for the name a client asks for, or null; of the server's next tls_engine_load. */
  struct ssl_ctx_st *(*by_name)(void *ctx, const char *name);
  void *by_name_ctx;
};

/* method: TLSv1_2, TLSv1_3 or lowest:highest; ciphers: an OpenSSL list, "" for ours.
 * 0, or -1 with e filled. */
int tls_engine_open(struct tls_engine *t, const char *method, const char *ciphers, struct strerr *e) MUST_CHECK;
/* Certificate chain and key, PEM, from an open file (name is for messages). */
int tls_engine_load(struct tls_engine *t, int fd, const char *name, struct strerr *e) MUST_CHECK;
/* The same as a context of its own; null with e filled. */
struct ssl_ctx_st *tls_engine_context(struct tls_engine *t, int fd, const char *name, struct strerr *e);
void tls_engine_context_free(struct ssl_ctx_st *ctx); /* null is fine */
/* A connection on a non-blocking socket, ready for its handshake; null with e
 * filled.  The caller frees it with SSL_free. */
struct ssl_st *tls_engine_new(struct tls_engine *t, const struct tls_wire *w, int netfd, struct strerr *e) MUST_CHECK;
/* What was agreed, after the handshake. */
int tls_engine_describe(struct ssl_st *ssl, struct tls_info *info) MUST_CHECK;
/* Why the last call failed, in words; also empties OpenSSL's queue of errors. */
void tls_engine_reason(struct ssl_st *ssl, struct strerr *e);
void tls_engine_close(struct tls_engine *t);

#endif
