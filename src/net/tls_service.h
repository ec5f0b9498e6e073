/* tls_service: takes the requests of tls_proto.h from a listening socket, or the one
 * request of `qmail-tlsd -1`, and starts a relay for each. */
#ifndef NET_TLS_SERVICE_H
#define NET_TLS_SERVICE_H

#include "base/loop.h"
#include "net/tls_engine.h"
#include "net/tls_relay.h"

struct tls_service {
  struct loop loop;
  struct tls_engine engine;
  struct tls_relays relays;
  struct loop_io listener;
  size_t asking; /* programs that connected and have not sent their request */
  int stopping;
  /* Called before a server's handshake: the place to look for a new certificate. */
  void (*before)(void *ctx);
  void *ctx;
};

/* engine, relays.idle, before and ctx are set by the caller; the loop is made here. */
int tls_service_init(struct tls_service *s) MUST_CHECK;
int tls_service_listen(struct tls_service *s, int fd) MUST_CHECK;
/* One request from a connected socket, which is closed: 0, or -1 when none came. */
int tls_service_once(struct tls_service *s, int fd) MUST_CHECK;
/* Take no more requests; the loop stops when the last connection has ended. */
void tls_service_stop(struct tls_service *s);

#endif
