/* tls_handoff: the engine of tls_client.h, told where things are.  conf/tls_client.c
 * knows that. */
#ifndef NET_TLS_HANDOFF_H
#define NET_TLS_HANDOFF_H

#include "net/tls_client.h"

struct tls_places {
  const char *socket;  /* of qmail-tlsd */
  const char *program; /* qmail-tlsd itself */
};

int tls_handoff(int netfd, const struct tls_places *at, const struct tls_request *r, deadline when,
                struct tls_info *info, struct strerr *e) MUST_CHECK;

#endif
