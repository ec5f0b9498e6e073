/* tls_relay: one TLS connection on the event loop, network socket on one side,
 * plaintext socket on the other.
 *
 * Each direction holds at most one record's worth that its far side did not take
 * yet, and reads no more until that is gone.  End of one direction is passed on as
 * such (close_notify and FIN on the network, FIN on the plaintext socket), and the
 * other direction goes on. */
#ifndef NET_TLS_RELAY_H
#define NET_TLS_RELAY_H

#include "base/loop.h"
#include "net/tls_engine.h"

struct tls_relay;

struct tls_relays {
  struct loop *loop;
  int64_t idle;  /* seconds without a byte after which a connection ends */
  int64_t linger; /* the same when our program is gone: for the peer to take our last bytes
                     and hang up; 0 is 20 */
  size_t count;  /* connections now */
  void (*gone)(void *ctx); /* called when a connection has ended; may be null */
  void *ctx;
};

/* Take over a request's descriptors (both are closed in the end, also on failure).
 * Refusals are told on the plaintext socket. */
void tls_relay_start(struct tls_relays *all, struct tls_engine *t, const struct tls_wire *w, int netfd, int plainfd);
/* Refuse: the status line, and the end of both descriptors. */
void tls_relay_refuse(int netfd, int plainfd, const char *why);

#endif
