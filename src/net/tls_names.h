/* tls_names: certificates by the name a client asks for (SNI, RFC 6066 section 3), each in a file of its
 * own, looked at before a handshake, once a second at most, and taken anew when it has changed.  Those
 * that were used last are kept. */
#ifndef NET_TLS_NAMES_H
#define NET_TLS_NAMES_H

#include <sys/stat.h>

#include "base/now.h"
#include "net/tls_engine.h"

#define TLS_NAMES_MAX 256

struct tls_name {
  char *name; /* null: the place is free */
  struct ssl_ctx_st *context;
  struct stat seen;
  deadline next_look, used;
};

struct tls_names {
  struct tls_engine *engine;
  /* The file of a name, open: a descriptor or -1 with errno, ENOENT where there is none. */
  int (*open)(void *ctx, const char *name);
  void (*warn)(void *ctx, const struct strerr *e); /* a file that cannot be used */
  void *ctx;
  struct tls_name place[TLS_NAMES_MAX];
};

/* The context for a name, borrowed, or null: the server's own is to serve. */
struct ssl_ctx_st *tls_names_find(struct tls_names *t, const char *name);
/* Forget all: settings have changed. */
void tls_names_flush(struct tls_names *t);
/* Same file, as far as one can see? */
int tls_names_same_file(const struct stat *a, const struct stat *b);

#endif
